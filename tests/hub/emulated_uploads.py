"""The requests by which a client of the emulated Hub sends files, and commits them."""

import base64
import fnmatch
import hashlib
import json
import re
from typing import Any

from hub import emulated_card, emulated_xet
from hub.emulated_call import Call
from hub.emulated_store import LARGE, SMALL_BYTES, Entry, Refused, Repo, User, writer


def preupload(call: Call, repo: Repo, revision: str) -> None:
    """Say of each file how it is to be sent, and which content is there under its name."""
    tree, files = repo.at(revision).tree, call.plain()["files"]
    if len(files) > 256:
        raise Refused(413, "too many files in preupload")
    told = []
    for file in files:
        path, sample = file["path"], base64.b64decode(file.get("sample") or "")
        name = path.rsplit("/", 1)[-1]
        by_name = any(fnmatch.fnmatch(name, pattern) for pattern in LARGE)
        large = by_name or file["size"] > SMALL_BYTES or b"\0" in sample
        mode = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
        old = tree.get(path)
        told.append({**mode, "oid": old.sha256 or old.oid} if old else mode)
    call.answer({"files": told, "commitOid": repo.at(revision).id})


def batch(call: Call) -> None:
    """Say where large files are to be put; those that are there already are to be put nowhere."""
    asked = call.plain()
    if "xet" in asked.get("transfers", []) and call.store.cas:
        return call.answer({"transfer": "xet", "objects": asked["objects"]})
    told = []
    for item in asked["objects"]:
        oid, size = item["oid"], item["size"]
        actions = {
            "upload": {"href": f"{call.base}/_storage/put/{oid}", "header": {}},
            "verify": {"href": f"{call.base}/_storage/verify/{oid}", "header": {}},
        }
        there = call.store.large(oid).exists()
        told.append({"oid": oid, "size": size, **({} if there else {"actions": actions})})
    return call.answer(
        {"transfer": "basic", "objects": told}, headers={"Content-Type": "application/vnd.git-lfs+json"}
    )


def storage(call: Call, what: str, oid: str) -> None:
    """Take a large file, or say whether it is there."""
    place = call.store.large(oid)
    if not re.fullmatch(r"[0-9a-f]{64}", oid):
        raise Refused(400, "bad oid")
    if what == "put":
        if hashlib.sha256(call.body).hexdigest() != oid:
            raise Refused(400, "BadDigest")
        place.write_bytes(call.body)
        return call.send(200, b"")
    if not place.exists() or place.stat().st_size != call.plain()["size"]:
        raise Refused(404, "object not uploaded")
    return call.answer({})


def commit(call: Call, repo: Repo, user: User | None, revision: str) -> None:
    """Carry out a commit, or make a proposal of it."""
    propose = call.query.get("create_pr") == "1"
    if not propose:
        writer(user, repo.owner)
    if user is None:
        raise Refused(401, "Invalid username or password.")
    parent, lines = repo.at(revision), [json.loads(line) for line in call.body.splitlines() if line.strip()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    if (wanted := header.get("parentCommit")) and parent.id != wanted:
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    tree = dict(parent.tree)
    for line in lines:
        if line["key"] in _KINDS:
            tree[line["value"]["path"]] = _KINDS[line["key"]](call, line["value"])
        elif line["key"] == "deletedFile":
            del tree[line["value"]["path"]]
        elif line["key"] != "header":
            raise Refused(400, f"not emulated: {line['key']}")
    made = call.store.commit(repo, parent.id, tree, header["summary"], user["name"])
    told: dict[str, Any] = {"success": True, "commitOid": made.id, "hookOutput": ""}
    told["commitUrl"] = f"{call.base}/datasets/{repo.id}/commit/{made.id}"
    if propose:
        number = len(repo.proposals) + 1
        repo.proposals[number] = {"title": made.title, "status": "open", "head": made.id}
        told["pullRequestUrl"] = f"{call.base}/datasets/{repo.id}/discussions/{number}"
    else:
        repo.move(revision.removeprefix("refs/heads/"), made.id)
    call.answer(told)


def _small(call: Call, value: dict[str, Any]) -> Entry:
    content = base64.b64decode(value["content"])
    if len(content) > SMALL_BYTES:
        raise Refused(400, f"Your push was rejected: {value['path']} is larger than 10 MiB")
    if value["path"] == "README.md" and (wrong := emulated_card.errors(content.decode())):
        raise Refused(400, "Invalid metadata in README.md: " + "; ".join(wrong))
    return Entry(call.store.put(content), len(content))


def _large(call: Call, value: dict[str, Any]) -> Entry:
    oid, place, xet = value["oid"], call.store.large(value["oid"]), None
    if not place.exists() and call.store.cas:
        xet = emulated_xet.fetch(call.store.cas, oid, place)
    if not place.exists():
        raise Refused(400, f"LFS pointer pointed to a file that does not exist: {value['path']}")
    size = place.stat().st_size
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"
    return Entry(hashlib.sha1(pointer.encode()).hexdigest(), size, oid, xet)


_KINDS = {"file": _small, "lfsFile": _large}
