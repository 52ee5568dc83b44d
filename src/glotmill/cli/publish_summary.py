"""How what was published, or would be, is told to a person."""

from collections.abc import Mapping
from typing import Any

from glotmill.hub.footers import ALL
from glotmill.io.terminal import columns, safe
from glotmill.languages import find as find_language


def text(found: Mapping[str, Any]) -> str:
    """Return what is on the Hub now."""
    first = next(tag for tag in found["rows"] if tag != ALL)
    lines = [_configs(found["rows"], found["run"]["rows"]), ""]
    if found["already"]:
        lines.append(f"{safe(found['url'])} has this run already ({found['run']['id']}): nothing was sent")
    else:
        sent = sum(file["bytes"] for file in found["added"])
        lines.append(f"{safe(found['url'])}: {len(found['added']):,} files, {size(sent)}")
    lines.append(f"commit {safe(found['commit'])}" + (f", tag {safe(found['tag'])}" if found["tag"] else ""))
    lines.append(f"Loaded from there, each with its rows: {len(found['rows']):,} configs")
    at = safe(found["tag"] or found["commit"])
    lines.append(f'Next: datasets.load_dataset("{found["repo"]}", "{first}", revision="{at}")')
    return "\n".join(lines)


def dry_text(found: Mapping[str, Any]) -> str:
    """Return what would be on the Hub."""
    files = [("file", "size", "rows")]
    files += [(f["path"], size(f["bytes"]), f"{f['rows']:,}" if "rows" in f else "") for f in found["files"]]
    parts = [_remote(found), _configs(found["configs"], found["run"]["rows"])]
    if found["already"]:
        parts.append(f"This run ({found['run']['id']}) is there already: nothing would be sent.")
    else:
        parts.append(columns(files, right=(1, 2)))
        if found["gone"]:
            parts.append(f"Taken away, as the run has them no more: {safe(', '.join(found['gone']))}")
        parts.append(f"{'-' * 8} README.md\n{safe(found['card'])}{'-' * 8}")
    tag = f" The tag would be {safe(found['tag'])}." if found["tag"] else ""
    login = "" if found["login"] else " There is no login yet: say `hf auth login`, or set HF_TOKEN."
    return "\n\n".join([*parts, f"Nothing was sent.{tag}{login}"])


def _remote(found: Mapping[str, Any]) -> str:
    there = found["remote"]
    if not there:
        return f"{safe(found['url'])}: not there yet (or not for this login to see); it would be made"
    about = [
        f"{there['files']:,} files",
        size(there["bytes"]),
        f"{there['rows'].get(ALL, 0):,} rows of other runs",
    ]
    about += ["private"] if there["private"] else []
    about += [f"gated ({there['gated']})"] if there["gated"] else []
    about += [f"tags {safe(', '.join(there['tags']))}"] if there["tags"] else []
    return f"{safe(found['url'])} at {there['head'][:12]}: {'; '.join(about)}"


def _configs(rows: Mapping[str, int], own: Mapping[str, int]) -> str:
    table: list[tuple[str, ...]] = [("config", "language", "of this run", "rows")]
    for name, count in rows.items():
        language = "" if name == ALL else find_language(name).name
        mine = sum(own.values()) if name == ALL else own.get(name, 0)
        table.append((name, language, f"{mine:,}", f"{count:,}"))
    return columns(table, right=(2, 3))


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    if count < 1000:
        return f"{count} B"
    for power, unit in enumerate(("kB", "MB", "GB"), 1):
        if count < 1000 ** (power + 1) or unit == "GB":
            break
    return f"{count / 1000**power:,.1f} {unit}"
