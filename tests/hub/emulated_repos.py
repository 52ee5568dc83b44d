"""The requests about a dataset of the emulated Hub as a whole: made, settings, branches, tags, proposals."""

import hashlib
import re
from typing import Any

from hub import emulated_card, emulated_files, emulated_uploads
from hub.emulated_call import Call
from hub.emulated_store import WHEN, Commit, Refused, Repo, User, writer


def create(call: Call) -> None:
    """Make a dataset."""
    asked, user = call.plain(), call.user()
    owner = asked.get("organization") or (user or {}).get("name", "")
    maker = writer(user, owner)
    name = f"{owner}/{asked['name']}"
    if not re.fullmatch(r"[\w\-.]{1,96}", asked["name"]):
        raise Refused(400, f"Invalid repo name: {name}")
    url = f"{call.base}/datasets/{name}"
    if name in call.store.repos:
        raise Refused(409, "You already created this dataset repo", url=url)
    call.store.create(name, maker, asked.get("visibility") == "private" or bool(asked.get("private")))
    call.answer({"url": url, "name": name, "id": name})


def validate(call: Call) -> None:
    """Say what is wrong with a card."""
    found = [{"message": text} for text in emulated_card.errors(call.plain()["content"])]
    call.answer({"errors": found, "warnings": []}, 400 if found else 200)


def about(call: Call, repo: Repo, commit: Commit) -> None:
    """Tell what a dataset is at a commit."""
    entry = commit.tree.get("README.md")
    text = call.store.place(entry).read_text(encoding="utf-8") if entry else ""
    card = {} if emulated_card.errors(text) else emulated_card.front_matter(text)
    told: dict[str, Any] = {
        "_id": hashlib.md5(repo.id.encode()).hexdigest()[:24],
        **{"id": repo.id, "author": repo.owner, "sha": commit.id, "lastModified": WHEN, "createdAt": WHEN},
        **{"private": repo.private, "gated": repo.gated, "disabled": False, "downloads": 0, "likes": 0},
        **{"tags": [], "cardData": card or {}, "siblings": [{"rfilename": path} for path in commit.tree]},
    }
    call.answer(told)


def of_dataset(call: Call, name: str, rest: list[str]) -> None:
    """Carry out a request to `/api/datasets/<name>/...`."""
    user = call.user()
    repo = call.store.find(name, user)
    verb, argument = (*rest, "", "")[:2]
    match verb, call.command:
        case "", "GET":
            about(call, repo, repo.at("main"))
        case "revision", "GET":
            about(call, repo, repo.at(argument))
        case "tree", "GET":
            emulated_files.tree(call, repo, argument, "/".join(rest[2:]))
        case "paths-info", "POST":
            emulated_files.paths_info(call, repo, argument)
        case "preupload", "POST":
            if call.query.get("create_pr") != "1":
                writer(user, repo.owner)
            emulated_uploads.preupload(call, repo, argument)
        case "commit", "POST":
            emulated_uploads.commit(call, repo, user, argument)
        case "xet-write-token" | "xet-read-token", "GET":
            _xet_token(call)
        case "settings", "PUT":
            _settings(call, repo, user)
        case "refs" | "branch" | "tag", _:
            _refs(call, repo, user, verb, argument)
        case "discussions", "GET":
            _proposals(call, repo)
        case _:
            raise Refused(404, f"not emulated: {call.command} {call.path}")


def _settings(call: Call, repo: Repo, user: User | None) -> None:
    writer(user, repo.owner)
    asked = call.plain()
    repo.gated = asked.get("gated", repo.gated)
    if "visibility" in asked or "private" in asked:
        repo.private = asked.get("visibility") == "private" or bool(asked.get("private"))
    call.answer({"private": repo.private, "gated": repo.gated})


def _refs(call: Call, repo: Repo, user: User | None, verb: str, argument: str) -> None:
    if verb == "refs":
        kinds = {"branches": ("heads", repo.branches), "tags": ("tags", repo.tags)}
        told = {
            kind: [{"name": n, "ref": f"refs/{part}/{n}", "targetCommit": c} for n, c in found.items()]
            for kind, (part, found) in kinds.items()
        }
        return call.answer({**told, "converts": []})
    writer(user, repo.owner)
    asked = call.plain() if call.body else {}
    name, found = (argument, repo.branches) if verb == "branch" else (asked["tag"], repo.tags)
    if name in found:
        raise Refused(409, f"Reference exists already: {name}")
    found[name] = repo.at(asked.get("startingPoint") or "main" if verb == "branch" else argument).id
    return call.answer({}, 201)


def _proposals(call: Call, repo: Repo) -> None:
    page = int(call.query.get("p") or 0)
    found = [
        {
            **{"num": number, "title": proposal["title"], "status": proposal["status"], "createdAt": WHEN},
            **{
                "isPullRequest": True,
                "author": {"name": "someone"},
                "repo": {"name": repo.id, "type": "dataset"},
            },
        }
        for number, proposal in repo.proposals.items()
    ]
    call.answer({"discussions": [] if page else found, "count": len(found), "start": 0})


def _xet_token(call: Call) -> None:
    if not call.store.cas:
        raise Refused(404, "Xet is not enabled here")
    told = {"casUrl": call.store.cas, "accessToken": "xet_test", "exp": 2**40}
    headers = {"X-Xet-Cas-Url": call.store.cas, "X-Xet-Access-Token": "xet_test"}
    call.answer(told, headers={**headers, "X-Xet-Token-Expiration": str(2**40)})
