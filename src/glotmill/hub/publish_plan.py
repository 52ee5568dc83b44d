"""Plans a publish: the files, card, manifest and tag that one commit would give a dataset on the Hub."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from glotmill.errors import GlotmillError, UsageError
from glotmill.hub import footers
from glotmill.hub.card.card import card, validate
from glotmill.hub.client import Hub, Remote
from glotmill.hub.package import Package, program_version
from glotmill.hub.unpublished_rows import find_published, subtract_published

CARD, MANIFEST = "README.md", "manifest.json"
FORMAT = 1  # of the manifest
_ROWS = (".parquet", ".jsonl", ".csv", ".arrow", ".json.gz", ".jsonl.gz", ".jsonl.zst", ".tsv")


@dataclass(frozen=True)
class PublishOptions:
    """Options of `glotmill publish`."""

    repo: str  # org/name
    tag: str | None = None  # None: the name of the run
    private: bool = False
    gated: str | None = None  # auto, manual
    pr: bool = False  # open a pull request instead of committing
    revision: str | None = None  # branch; None: main
    license: str | None = None  # None: the license in the existing card


@dataclass(frozen=True)
class PublishPlan:
    """What one commit would do."""

    remote: Remote | None  # None: the repository does not exist yet
    package: Package  # the run, with only the rows that the dataset lacks
    complete: bool  # the dataset already has everything, so there is nothing to do
    texts: Mapping[str, bytes]  # path -> content of every file without rows
    obsolete: Sequence[str]  # files to delete: they describe an earlier state of the run
    files: Sequence[footers.Footer]  # all row files after the commit
    tag: str | None
    tagged: bool  # the tag already exists


def check_options(options: PublishOptions) -> None:
    """Raise UsageError for options that cannot work, whatever is on the Hub."""
    if options.tag is not None and _tag_name(options.tag) != options.tag:
        raise UsageError(f"--tag {options.tag}: not a valid tag; write one such as v1")
    branch = options.revision or "main"
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", branch) or ".." in branch:
        raise UsageError(f"--revision {branch}: not a valid branch name; write one such as dev")
    if options.tag and (options.pr or branch.startswith("refs/")):
        raise UsageError(
            "--tag: a pull request cannot be tagged; leave it out, and set the tag after the merge"
        )
    if options.pr and options.revision:
        raise UsageError(
            "--pr and --revision: the Hub accepts pull requests only for main; choose one of them"
        )


def _tag_name(text: str) -> str:
    """Return a text as a valid tag name."""
    return re.sub(r"\.{2,}", ".", re.sub(r"[^\w.-]+", "-", text)).strip(".-").removesuffix(".lock")


def plan_publish(hub: Hub, package: Package, options: PublishOptions, folder: Path) -> PublishPlan:
    """Compare a run with what the Hub has, and return what a commit would do.

    folder: receives files with the rows that were added since the run was last published.
    Raises UsageError for data that glotmill did not write, different columns, changed rows, or a taken tag.
    """
    remote = hub.snapshot(options.revision) or (hub.snapshot(None) if options.revision else None)
    if remote and options.revision in remote.tags:
        raise UsageError(f"--revision {options.revision}: is a tag; name a branch")
    manifest = _read_manifest(hub, remote)
    package, files = _subtract_published(hub, remote, manifest, package, folder)
    complete = remote is not None and all(remote.sha256.get(p) == h for p, h in package.sha256.items())
    tag, tagged = _choose_tag(hub, remote, package, options, complete)
    plan = PublishPlan(remote, package, complete, {}, [], files, tag, tagged)
    published_hashes = {
        path: about["sha256"] for path, about in manifest["files"].items() if _documents_run(path, package)
    }
    document_hashes = {path: sha256(text).hexdigest() for path, text in package.texts.items()}
    if complete and published_hashes == document_hashes and options.license is None:
        return plan
    existing = hub.read_text(CARD, remote) if remote and CARD in remote.sizes else None
    text = card(
        package.run,
        repo=options.repo,
        license=options.license,
        existing=existing,
        files=files,
        key=package.id,
    )
    published_lines = set(
        (existing or "").split("\n")
    )  # published already, and perhaps written by a person: left as they are
    lines = (line if line in published_lines else package.privacy.redact(line) for line in text.split("\n"))
    text = "\n".join(lines)
    if complete and published_hashes == document_hashes and text == existing:
        return plan
    if problems := validate(text):
        raise GlotmillError("the Hub would not accept the card:\n" + "\n".join(f"  {p}" for p in problems))
    package.privacy.refuse(CARD, text)
    texts = {**package.texts, CARD: text.encode(), MANIFEST: _manifest_bytes(manifest, plan)}
    obsolete = [
        path for path in published_hashes if path not in document_hashes and remote and path in remote.sizes
    ]
    return replace(plan, complete=False, texts=texts, obsolete=obsolete)


def _documents_run(path: str, package: Package) -> bool:
    """Return whether a file of the dataset documents this run."""
    return path.startswith(f"runs/{package.id}/")


def _subtract_published(
    hub: Hub, remote: Remote | None, manifest: Mapping[str, Any], package: Package, folder: Path
) -> tuple[Package, list[footers.Footer]]:
    """Return the package without what the dataset has, and the footers of all row files after the commit."""
    if remote is None:
        return package, package.footers
    published = find_published(manifest, remote, package)
    own_paths = package.data.keys() if published else ()  # no need to fetch their footers
    others = hub.footers([path for path in remote.data if path not in own_paths], remote)
    if published:
        by_path = {footer.path: footer for footer in (*others, *package.footers)}
        package = replace(published, footers=[by_path[path] for path in published.sha256])
    else:
        _refuse_other_columns(hub, package, others)
        package = subtract_published(hub, remote, package, others, folder)
    footers_by_path = {footer.path: footer for footer in (*others, *package.footers)}
    return package, [footers_by_path[path] for path in sorted(footers_by_path)]


def _read_manifest(hub: Hub, remote: Remote | None) -> dict[str, Any]:
    """Return the manifest of the dataset. Raises UsageError if it has rows that glotmill did not write."""
    empty: dict[str, Any] = {"runs": [], "files": {}}
    if remote is None:
        return empty
    try:
        manifest = json.loads(hub.read_text(MANIFEST, remote)) if MANIFEST in remote.sizes else None
    except (ValueError, RecursionError):
        manifest = None
    if isinstance(manifest, dict) and _is_manifest(manifest):
        return manifest
    if rows := [path for path in remote.sizes if path.endswith(_ROWS)]:
        raise UsageError(
            f"{hub.repo}: has rows that glotmill did not write, or no valid {MANIFEST} "
            f"({rows[0]}); publish to another name"
        )
    return empty


def _is_manifest(manifest: Mapping[str, Any]) -> bool:
    """Return whether this has the form of a manifest; people may have edited it."""
    return (
        manifest.get("format") == FORMAT
        and isinstance(manifest.get("runs"), list)
        and all(
            isinstance(entry, dict) and isinstance(entry.get("files"), list) for entry in manifest["runs"]
        )
        and isinstance(manifest.get("files"), dict)
        and all(isinstance(entry, dict) and "sha256" in entry for entry in manifest["files"].values())
    )


def _refuse_other_columns(hub: Hub, package: Package, others: Sequence[footers.Footer]) -> None:
    """Raise UsageError if the columns of the dataset and the run differ."""
    if not others:
        return
    if differences := footers.differences(footers.merged(others), footers.merged(package.footers)):
        listing = "\n".join(f"  {line}" for line in differences)
        raise UsageError(
            f"{hub.repo}: its columns differ from those of {package.run.folder} "
            "(there: on the Hub, here: in the run):\n"
            f"{listing}\nThe columns of a dataset do not change; publish to another name, or change the "
            "recipe's output"
        )


def candidate_tags(package: Package, options: PublishOptions) -> list[str]:
    """Return tags that would suit the run, the best first."""
    if options.pr or (options.revision or "").startswith("refs/"):
        return []
    return [options.tag] if options.tag else [_tag_name(package.name) or package.state, package.state]


def _choose_tag(
    hub: Hub, remote: Remote | None, package: Package, options: PublishOptions, complete: bool
) -> tuple[str | None, bool]:
    """Return the tag to set, and whether it is set. Raises UsageError if it belongs to other rows."""
    names, taken = candidate_tags(package, options), remote.tags if remote else {}
    if not names:
        return None, False
    if complete and not options.tag:
        for tag in taken:
            if hub.holds(tag, package.sha256):
                return tag, True
    for tag in names:
        if tag not in taken or (complete and hub.holds(tag, package.sha256)):
            return tag, tag in taken
    raise UsageError(f"--tag {names[-1]}: already exists at {taken[names[-1]][:12]}; choose another")


def _manifest_bytes(manifest: Mapping[str, Any], plan: PublishPlan) -> bytes:
    """Return the new manifest: every file with its hash, and the files of each run."""
    package, remote = plan.package, plan.remote
    runs = [entry for entry in manifest["runs"] if entry.get("id") != package.id]
    files = {path: about for path, about in manifest["files"].items() if not _documents_run(path, package)}
    for footer in plan.files:
        digest = package.sha256.get(footer.path) or (remote and remote.sha256.get(footer.path))
        files[footer.path] = {"sha256": digest, "bytes": footer.size, "rows": footer.rows}
    for path, text in package.texts.items():
        files[path] = {"sha256": sha256(text).hexdigest(), "bytes": len(text)}
    new_manifest = {
        "format": FORMAT,
        "made_by": program_version(),
        "runs": [*runs, package.about()],
        "files": dict(sorted(files.items())),
    }
    return json.dumps(new_manifest, ensure_ascii=False, indent=1).encode() + b"\n"


def file_sizes(plan: PublishPlan) -> list[dict[str, Any]]:
    """Return the files that a commit would write, with their sizes and rows."""
    rows = {footer.path: footer.rows for footer in plan.package.footers}
    data = [
        {"path": path_in_dataset, "bytes": path.stat().st_size, "rows": rows[path_in_dataset]}
        for path_in_dataset, path in plan.package.data.items()
    ]
    return [
        *data,
        *({"path": path_in_dataset, "bytes": len(text)} for path_in_dataset, text in plan.texts.items()),
    ]
