"""A Hugging Face Hub for tests, in this process: its HTTP interface as the real clients use it for datasets.

It keeps contents by their hash, knows who may write, see and fetch, refuses a commit whose parent is not the
head, and a card whose front matter is wrong. Every request is kept, and faults may befall them. What the real
Hub does beyond its protocol is not here: rate limits, the viewer, git itself, the merging of proposals.

    with Emulator() as emulator:
        environment = {"HF_ENDPOINT": emulator.endpoint, "HF_TOKEN": "hf_write"}  # read when it is imported
"""

import shutil
import tempfile
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from hub import emulated_files, emulated_repos, emulated_uploads
from hub.emulated_call import Call
from hub.emulated_store import Fault, Refused, Repo, Store

TOKENS = {
    "hf_write": {"name": "tester", "role": "write", "orgs": ["acme"]},
    "hf_read": {"name": "tester", "role": "read", "orgs": ["acme"]},
    "hf_other": {"name": "stranger", "role": "write", "orgs": []},
}


def route(call: Call) -> None:
    """Find what the request is for."""
    parts = [unquote(part) for part in call.place.split("/") if part]
    match parts:
        case ["_storage", what, oid]:
            emulated_uploads.storage(call, what, oid)
        case ["api", "agent-harnesses"]:
            call.answer({"standardEnvVars": [], "harnesses": {}})
        case ["api", "validate-yaml"]:
            emulated_repos.validate(call)
        case ["api", "repos", "create"]:
            emulated_repos.create(call)
        case ["api", "datasets", owner, name, *rest]:
            emulated_repos.of_dataset(call, f"{owner}/{name}", rest)
        case ["datasets", owner, name, "info", "lfs", "objects", "batch"]:
            call.store.find(f"{owner}/{name.removesuffix('.git')}", call.user())
            emulated_uploads.batch(call)
        case ["datasets", owner, name, "resolve", revision, *path]:
            emulated_files.serve(call, f"{owner}/{name}", revision, "/".join(path))
        case _:
            raise Refused(404, f"not emulated: {call.command} {call.place}")


class Emulator:
    """The Hub, while it runs. cas: a folder for the real Xet client to store in; none: files go by LFS."""

    def __init__(self, cas: Path | None = None, tokens: dict[str, Any] | None = None) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="hub-"))
        self.store = Store(self.root, {**TOKENS, **(tokens or {})}, f"local://{cas}" if cas else None)
        call = type("BoundCall", (Call,), {"store": self.store, "route": route})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), call)
        self.server.daemon_threads = True
        self.server.handle_error = lambda request, address: None  # type: ignore[method-assign,assignment]
        self.endpoint = call.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.root)

    def repo(self, name: str) -> Repo:
        """A dataset that is there."""
        return self.store.repos[name]

    def titles(self, name: str) -> list[str]:
        """The commits of a dataset's main branch, newest first."""
        repo, found = self.repo(name), []
        commit = repo.at("main")
        while True:
            found.append(commit.title)
            if commit.parent is None:
                return found
            commit = repo.commits[commit.parent]

    def content(self, name: str, path: str, revision: str = "main") -> bytes:
        """A file's content."""
        return self.store.place(self.repo(name).at(revision).tree[path]).read_bytes()

    def fail(self, pattern: str, **how: Any) -> Fault:
        """Let a fault befall the next requests whose `METHOD /path` matches."""
        fault = Fault(pattern, **how)
        self.store.faults.append(fault)
        return fault

    def asked(self, pattern: str) -> list[dict[str, Any]]:
        """The requests whose `METHOD /path` has a text."""
        return [each for each in self.store.requests if pattern in f"{each['method']} {each['path']}"]
