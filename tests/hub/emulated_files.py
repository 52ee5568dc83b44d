"""The requests by which a client of the emulated Hub lists files, and fetches them."""

import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hub.emulated_call import Call
from hub.emulated_store import Entry, Refused, Repo, may_write

PAGE = 1000  # files


def tree(call: Call, repo: Repo, revision: str, folder: str) -> None:
    """List a folder, a page at a time."""
    commit, folder = repo.at(revision), folder.strip("/")
    if folder and not any(path.startswith(f"{folder}/") for path in commit.tree):
        raise Refused(404, f"{folder} does not exist on {revision}", "EntryNotFound")
    items = _listed(commit.tree, folder, call.query.get("recursive", "").lower() in ("true", "1"))
    start = int(call.query.get("cursor") or 0)
    headers = {}
    if start + PAGE < len(items):
        further = urlencode({**call.query, "cursor": start + PAGE})
        headers["Link"] = f'<{call.base}{call.place}?{further}>; rel="next"'
    call.answer(items[start : start + PAGE], headers=headers)


def paths_info(call: Call, repo: Repo, revision: str) -> None:
    """Tell about the files that are named."""
    if "json" in call.headers.get("Content-Type", ""):
        paths = call.plain()["paths"]
    else:
        paths = [value for name, value in parse_qsl(call.body.decode()) if name == "paths"]
    if len(paths) > 1000:
        raise Refused(413, "too many parameters")
    files = repo.at(revision).tree
    call.answer([files[path].listed(path) for path in paths if path in files])


def _listed(files: dict[str, Entry], folder: str, recursive: bool) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    start = f"{folder}/" if folder else ""
    for path in sorted(files):
        if not path.startswith(start):
            continue
        parts = path[len(start) :].split("/")
        for depth in range(1, len(parts) if recursive else min(2, len(parts))):
            name = start + "/".join(parts[:depth])
            oid = hashlib.sha1(name.encode()).hexdigest()
            found.setdefault(name, {"type": "directory", "oid": oid, "size": 0, "path": name})
        if recursive or len(parts) == 1:
            found[path] = files[path].listed(path)
    return list(found.values())


def serve(call: Call, name: str, revision: str, path: str) -> None:
    """Send a file, or a range of it."""
    user = call.user()
    repo = call.store.find(name, user)
    if repo.gated and not may_write(user, repo.owner):
        raise Refused(403 if user else 401, f"Access to dataset {name} is restricted.", "GatedRepo")
    commit = repo.at(revision)
    if path not in commit.tree:
        told = {"X-Repo-Commit": commit.id, "X-Error-Code": "EntryNotFound"}
        return call.answer({"error": "Entry not found"}, 404, {**told, "X-Error-Message": "Entry not found"})
    entry = commit.tree[path]
    headers = {"X-Repo-Commit": commit.id, "Accept-Ranges": "bytes", "ETag": f'"{entry.sha256 or entry.oid}"'}
    if entry.sha256:
        headers |= {"X-Linked-Etag": f'"{entry.sha256}"', "X-Linked-Size": str(entry.size)}
    if entry.xet and call.store.cas:
        token = f"{call.base}/api/datasets/{name}/xet-read-token/{commit.id}"
        headers |= {"X-Xet-Hash": entry.xet, "Link": f'<{token}>; rel="xet-auth"'}
    start, end = _range(call.headers.get("Range", ""), entry.size)
    status = 206 if "Range" in call.headers else 200
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size}"
    content = b"" if call.command == "HEAD" else call.store.place(entry).read_bytes()[start:end]
    return call.send(status, content, headers, end - start)


def _range(asked: str, size: int) -> tuple[int, int]:
    """Return from where to where a client wants a file."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if not found:
        return 0, size
    if not found[1]:
        return max(0, size - int(found[2])), size
    return int(found[1]), min(int(found[2]) + 1 if found[2] else size, size)
