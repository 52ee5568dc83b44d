"""What publishing a run would do to a dataset on the Hub: its files, its card, its manifest, its tag."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from glotmill.errors import GlotmillError, UsageError
from glotmill.hub import footers
from glotmill.hub.append import known, rest
from glotmill.hub.card.card import card, validate
from glotmill.hub.client import Hub, Remote
from glotmill.hub.package import Package, made_by

CARD, MANIFEST = "README.md", "manifest.json"
FORMAT = 1  # of the manifest
_ROWS = (".parquet", ".jsonl", ".csv", ".arrow", ".json.gz", ".jsonl.gz", ".jsonl.zst", ".tsv")


@dataclass(frozen=True)
class PublishOptions:
    """What a user may say of a dataset that is published."""

    repo: str  # org/name
    tag: str | None = None  # none: the run's name
    private: bool = False
    gated: str | None = None  # auto, manual
    pr: bool = False  # propose, instead of commit
    revision: str | None = None  # a branch; none: main
    license: str | None = None  # none: as the card says it


@dataclass(frozen=True)
class PublishPlan:
    """What one commit would do."""

    remote: Remote | None  # none: there is no repository yet
    package: Package  # the run, of whose rows only those are sent that are not there
    there: bool  # all of the run is there already, and nothing is to be done
    texts: Mapping[str, bytes]  # path -> content, of all but rows
    gone: Sequence[str]  # files that told of an earlier state of the run, and have no successor
    files: Sequence[footers.Footer]  # of all rows that are there afterwards
    tag: str | None
    tagged: bool  # the tag is given already


def check(options: PublishOptions) -> None:
    """Raise UsageError for wishes that cannot be fulfilled, whatever is on the Hub."""
    if options.tag is not None and _name(options.tag) != options.tag:
        raise UsageError(f"--tag {options.tag}: no name for a tag; write one such as v1")
    branch = options.revision or "main"
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", branch) or ".." in branch:
        raise UsageError(f"--revision {branch}: no name for a branch; write one such as dev")
    if options.tag and (options.pr or branch.startswith("refs/")):
        raise UsageError(
            "--tag: what is proposed is not there yet; leave it out, and give the tag when it is merged"
        )
    if options.pr and options.revision:
        raise UsageError("--pr and --revision: the Hub takes proposals for the main branch alone; choose one")


def _name(text: str) -> str:
    """A text as a tag may be called."""
    return re.sub(r"\.{2,}", ".", re.sub(r"[^\w.-]+", "-", text)).strip(".-").removesuffix(".lock")


def look(hub: Hub, package: Package, options: PublishOptions, folder: Path) -> PublishPlan:
    """Compare a run with what the Hub has, and return what a commit would do.

    folder: gets files of the rows that a run has more than it had when it was published.
    Raises UsageError: data that is not glotmill's, other columns, rows that have changed, a taken tag.
    """
    remote = hub.look(options.revision) or (hub.look(None) if options.revision else None)
    if remote and options.revision in remote.tags:
        raise UsageError(f"--revision {options.revision}: is a tag there; name a branch")
    manifest = _manifest(hub, remote)
    package, files = _compared(hub, remote, manifest, package, folder)
    there = remote is not None and all(remote.sha256.get(p) == h for p, h in package.sha256.items())
    tag, tagged = _free_tag(hub, remote, package, options, there)
    plan = PublishPlan(remote, package, there, {}, [], files, tag, tagged)
    of = {path: about["sha256"] for path, about in manifest["files"].items() if _beside(path, package)}
    told = {path: sha256(text).hexdigest() for path, text in package.texts.items()}
    if there and of == told and options.license is None:
        return plan
    existing = hub.text(CARD, remote) if remote and CARD in remote.sizes else None
    text = card(
        package.run,
        repo=options.repo,
        license=options.license,
        existing=existing,
        files=files,
        key=package.id,
    )
    public = set((existing or "").split("\n"))  # by now, and perhaps a person's own words
    lines = (line if line in public else package.privacy.redact(line) for line in text.split("\n"))
    text = "\n".join(lines)
    if there and of == told and text == existing:
        return plan
    if problems := validate(text):
        raise GlotmillError("the card is not as the Hub wants it:\n" + "\n".join(f"  {p}" for p in problems))
    package.privacy.refuse(CARD, text)
    texts = {**package.texts, CARD: text.encode(), MANIFEST: _merged(manifest, plan)}
    gone = [path for path in of if path not in told and remote and path in remote.sizes]
    return replace(plan, there=False, texts=texts, gone=gone)


def _beside(path: str, package: Package) -> bool:
    """Whether a file of a dataset tells how a run was made."""
    return path.startswith(f"runs/{package.id}/")


def _compared(
    hub: Hub, remote: Remote | None, manifest: Mapping[str, Any], package: Package, folder: Path
) -> tuple[Package, list[footers.Footer]]:
    """Return what of a run is to be sent, and the footers of all rows that are there afterwards."""
    if remote is None:
        return package, package.footers
    found = known(manifest, remote, package)
    here = package.data.keys() if found else ()  # of these the footers need not be fetched
    others = hub.footers([path for path in remote.data if path not in here], remote)
    if found:
        there = {footer.path: footer for footer in (*others, *package.footers)}
        package = replace(found, footers=[there[path] for path in found.sha256])
    else:
        _refuse_misfit(hub, package, others)
        package = rest(hub, remote, package, others, folder)
    whole = {footer.path: footer for footer in (*others, *package.footers)}
    return package, [whole[path] for path in sorted(whole)]


def _manifest(hub: Hub, remote: Remote | None) -> dict[str, Any]:
    """What the dataset's manifest says. Raises UsageError if it has rows that glotmill did not write."""
    nothing: dict[str, Any] = {"runs": [], "files": {}}
    if remote is None:
        return nothing
    try:
        found = json.loads(hub.text(MANIFEST, remote)) if MANIFEST in remote.sizes else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and _is_manifest(found):
        return found
    if rows := [path for path in remote.sizes if path.endswith(_ROWS)]:
        raise UsageError(
            f"{hub.repo}: has rows that glotmill did not put there, or no {MANIFEST} of glotmill "
            f"({rows[0]}); publish to another name"
        )
    return nothing


def _is_manifest(found: Mapping[str, Any]) -> bool:
    """Whether it has the form of a manifest: people may have edited it."""
    return (
        found.get("format") == FORMAT
        and isinstance(found.get("runs"), list)
        and all(isinstance(each, dict) and isinstance(each.get("files"), list) for each in found["runs"])
        and isinstance(found.get("files"), dict)
        and all(isinstance(each, dict) and "sha256" in each for each in found["files"].values())
    )


def _refuse_misfit(hub: Hub, package: Package, others: Sequence[footers.Footer]) -> None:
    """Raise UsageError where a dataset has other columns than a run."""
    if not others:
        return
    if wrong := footers.differences(footers.merged(others), footers.merged(package.footers)):
        told = "\n".join(f"  {line}" for line in wrong)
        raise UsageError(
            f"{hub.repo}: has other columns than {package.run.folder} "
            "(there: on the Hub, here: in the run):\n"
            f"{told}\nA dataset keeps its columns; publish to another name, or mend the recipe's output"
        )


def tags(package: Package, options: PublishOptions) -> list[str]:
    """Return which tags would do for a run, the best first."""
    if options.pr or (options.revision or "").startswith("refs/"):
        return []
    return [options.tag] if options.tag else [_name(package.name) or package.state, package.state]


def _free_tag(
    hub: Hub, remote: Remote | None, package: Package, options: PublishOptions, there: bool
) -> tuple[str | None, bool]:
    """The tag to give, and whether it is given already. Raises UsageError if it is that of other rows."""
    names, taken = tags(package, options), remote.tags if remote else {}
    if not names:
        return None, False
    if there and not options.tag:
        for tag in taken:
            if hub.holds(tag, package.sha256):
                return tag, True
    for tag in names:
        if tag not in taken or (there and hub.holds(tag, package.sha256)):
            return tag, tag in taken
    raise UsageError(f"--tag {names[-1]}: is there already, at {taken[names[-1]][:12]}; choose another")


def _merged(old: Mapping[str, Any], plan: PublishPlan) -> bytes:
    """The manifest: every file with its hash, and the rows of each run."""
    package, remote = plan.package, plan.remote
    runs = [each for each in old["runs"] if each.get("id") != package.id]
    of = {path: about for path, about in old["files"].items() if not _beside(path, package)}
    for footer in plan.files:
        digest = package.sha256.get(footer.path) or (remote and remote.sha256.get(footer.path))
        of[footer.path] = {"sha256": digest, "bytes": footer.size, "rows": footer.rows}
    for path, text in package.texts.items():
        of[path] = {"sha256": sha256(text).hexdigest(), "bytes": len(text)}
    whole = {
        "format": FORMAT,
        "made_by": made_by(),
        "runs": [*runs, package.about()],
        "files": dict(sorted(of.items())),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"


def sizes(plan: PublishPlan) -> list[dict[str, Any]]:
    """Return the files that a commit would write, with their bytes, and their rows."""
    rows = {footer.path: footer.rows for footer in plan.package.footers}
    data = [
        {"path": place, "bytes": path.stat().st_size, "rows": rows[place]}
        for place, path in plan.package.data.items()
    ]
    return [*data, *({"path": place, "bytes": len(text)} for place, text in plan.texts.items())]
