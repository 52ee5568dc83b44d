"""What publishing a run would do to a dataset on the Hub: its files, its card, its manifest, its tag."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from glotmill.cards import footers
from glotmill.cards.card import card, validate
from glotmill.errors import GlotmillError, UsageError
from glotmill.publishing.hub import Hub, Remote
from glotmill.publishing.parcel import Parcel, made_by

CARD, MANIFEST = "README.md", "manifest.json"
FORMAT = 1  # of the manifest
_ROWS = (".parquet", ".jsonl", ".csv", ".arrow", ".json.gz", ".jsonl.gz", ".jsonl.zst", ".tsv")


@dataclass(frozen=True)
class Wishes:
    """What a user may say of a dataset that is published."""

    repo: str  # org/name
    tag: str | None = None  # none: the run's name
    private: bool = False
    gated: str | None = None  # auto, manual
    pr: bool = False  # propose, instead of commit
    revision: str | None = None  # a branch; none: main
    license: str | None = None  # none: as the card says it


@dataclass(frozen=True)
class Plan:
    """What one commit would do."""

    remote: Remote | None  # none: there is no repository yet
    there: bool  # the run is there already, and nothing is to be done
    texts: Mapping[str, bytes]  # path -> content, of all but rows
    files: Sequence[footers.Footer]  # all rows that are there afterwards
    tag: str | None
    tagged: bool  # the tag is given already


def check(wishes: Wishes) -> None:
    """Raise UsageError for wishes that cannot be fulfilled, whatever is on the Hub."""
    if wishes.tag is not None and _name(wishes.tag) != wishes.tag:
        raise UsageError(f"--tag {wishes.tag}: no name for a tag; write one such as v1")
    if wishes.pr and wishes.tag:
        raise UsageError(
            "--pr and --tag: what is proposed is not there yet; give it its tag when it is merged"
        )
    if wishes.pr and wishes.revision:
        raise UsageError("--pr and --revision: the Hub takes proposals for the main branch alone; choose one")


def _name(text: str) -> str:
    """A text as a tag may be called."""
    return re.sub(r"\.{2,}", ".", re.sub(r"[^\w.-]+", "-", text)).strip(".-").removesuffix(".lock")


def look(hub: Hub, parcel: Parcel, wishes: Wishes) -> Plan:
    """Compare a run with what the Hub has, and return what a commit would do.

    Raises UsageError: data that is not glotmill's, other columns, rows that are there already, a taken tag.
    """
    remote = hub.look(wishes.revision) or (hub.look(None) if wishes.revision else None)
    manifest = _manifest(hub, remote)
    there = remote is not None and all(remote.sha256.get(p) == h for p, h in parcel.sha256.items())
    old = [path for path in remote.data if path not in parcel.data] if remote else []
    others = hub.footers(old, remote) if remote else []
    files = sorted([*others, *parcel.footers], key=lambda footer: footer.path)
    if not there:
        _refuse_misfit(hub, remote, parcel, others)
    tag, tagged = _free_tag(hub, remote, parcel, wishes, there)
    existing = hub.text(CARD, remote) if remote and CARD in remote.sizes else None
    if there and wishes.license is None:
        return Plan(remote, True, {}, files, tag, tagged)
    text = card(parcel.run, repo=wishes.repo, license=wishes.license, existing=existing, files=files)
    if there and text == existing:
        return Plan(remote, True, {}, files, tag, tagged)
    if problems := validate(text):
        raise GlotmillError("the card is not as the Hub wants it:\n" + "\n".join(f"  {p}" for p in problems))
    texts = {**parcel.texts, CARD: text.encode()}
    texts[MANIFEST] = _merged(manifest, parcel, files, remote, texts)
    return Plan(remote, False, texts, files, tag, tagged)


def _manifest(hub: Hub, remote: Remote | None) -> dict[str, Any]:
    """What the dataset's manifest says. Raises UsageError if it has rows that glotmill did not write."""
    if remote is None:
        return {}
    try:
        found = json.loads(hub.text(MANIFEST, remote)) if MANIFEST in remote.sizes else {}
    except ValueError:
        found = None
    if isinstance(found, dict) and found.get("format") == FORMAT and isinstance(found.get("runs"), list):
        return found
    if rows := [path for path in remote.sizes if path.endswith(_ROWS)]:
        raise UsageError(
            f"{hub.repo}: has rows that glotmill did not put there ({rows[0]}); publish to another name"
        )
    return {}


def _refuse_misfit(hub: Hub, remote: Remote | None, parcel: Parcel, others: Sequence[footers.Footer]) -> None:
    """Raise UsageError where a dataset has other columns than a run, or rows of it."""
    if remote is None or not others:
        return
    if wrong := footers.differences(footers.merged(others), footers.merged(parcel.footers)):
        told = "\n".join(f"  {line}" for line in wrong)
        raise UsageError(
            f"{hub.repo}: has other columns than {parcel.run.folder} (there: on the Hub, here: in the run):\n"
            f"{told}\nA dataset keeps its columns; publish to another name, or mend the recipe's output"
        )
    same = [footer.path for footer in others if parcel.ids.get(footer.language)]
    for path, ids in zip(same, hub.ids(same, remote), strict=True):
        if twice := parcel.ids[path.split("/")[1]].intersection(ids):
            raise UsageError(
                f"{hub.repo}: has {len(twice):,} of the first rows of {path} from an earlier state of "
                f"{parcel.run.folder}; what was published is not rewritten: publish to another name"
            )


def _free_tag(
    hub: Hub, remote: Remote | None, parcel: Parcel, wishes: Wishes, there: bool
) -> tuple[str | None, bool]:
    """The tag to give, and whether it is given already. Raises UsageError if it is that of other rows."""
    if wishes.pr:
        return None, False
    tags = remote.tags if remote else {}
    if there and not wishes.tag:
        for tag in tags:
            if hub.holds(tag, parcel.sha256):
                return tag, True
    names = [wishes.tag] if wishes.tag else [_name(parcel.name) or parcel.id, parcel.id]
    for tag in names:
        if tag not in tags or (there and hub.holds(tag, parcel.sha256)):
            return tag, tag in tags
    raise UsageError(f"--tag {names[-1]}: is there already, at {tags[names[-1]][:12]}; choose another")


def _merged(
    old: Mapping[str, Any],
    parcel: Parcel,
    files: Sequence[footers.Footer],
    remote: Remote | None,
    texts: Mapping[str, bytes],
) -> bytes:
    """The manifest: every file with its hash, and the rows of each run."""
    about = parcel.about()
    runs = [each for each in old.get("runs", []) if each.get("id") != parcel.id]
    of = dict(old.get("files", {}))
    for footer in files:
        digest = parcel.sha256.get(footer.path) or (remote and remote.sha256.get(footer.path))
        of[footer.path] = {"sha256": digest, "bytes": footer.size, "rows": footer.rows}
    for path, text in texts.items():
        if path != CARD:  # people may edit it
            of[path] = {"sha256": sha256(text).hexdigest(), "bytes": len(text)}
    whole = {
        "format": FORMAT,
        "made_by": made_by(),
        "runs": [*runs, about],
        "files": dict(sorted(of.items())),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"


def sizes(parcel: Parcel, plan: Plan) -> list[dict[str, Any]]:
    """Return the files that a commit would write, with their bytes, and their rows."""
    rows = {footer.path: footer.rows for footer in parcel.footers}
    data = [
        {"path": place, "bytes": path.stat().st_size, "rows": rows[place]}
        for place, path in parcel.data.items()
    ]
    return [*data, *({"path": place, "bytes": len(text)} for place, text in plan.texts.items())]
