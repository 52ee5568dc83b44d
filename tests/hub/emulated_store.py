"""What the emulated Hub keeps: repositories with their commits, and contents by their hash, on the disk."""

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WHEN = "2026-01-01T00:00:00.000Z"  # all that happens here happens at once
LARGE = [  # what a new dataset keeps as large files; the Hub's own list is longer
    *("*.parquet", "*.arrow", "*.bin", "*.gz", "*.zst", "*.zip", "*.tar", "*.npy", "*.npz"),
    *("*.safetensors", "*.h5", "*.wav", "*.flac", "*.mp3", "*.png", "*.jpg", "*.webp", "*.mp4"),
]
SMALL_BYTES = 10 * 1024 * 1024  # larger files are refused unless they are sent as large ones

User = dict[str, Any]  # name, role (read, write), orgs


class Refused(Exception):
    """An answer with a status of its own, and the headers that the client reads."""

    def __init__(self, status: int, message: str, code: str | None = None, **further: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.further = status, message, code, further


@dataclass
class Entry:
    """A file at a commit."""

    oid: str  # of git: of the file, or of the pointer that stands for a large one
    size: int
    sha256: str | None = None  # of a large file
    xet: str | None = None

    def listed(self, path: str) -> dict[str, Any]:
        """As a listing tells it."""
        told = {"type": "file", "oid": self.oid, "size": self.size, "path": path}
        if self.sha256:
            told["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 130}
        return {**told, "xetHash": self.xet} if self.xet else told


@dataclass
class Commit:
    """A state of a repository."""

    id: str
    parent: str | None
    title: str
    user: str
    tree: dict[str, Entry]


@dataclass
class Repo:
    """A dataset."""

    id: str
    private: bool = False
    gated: Any = False  # or "auto", "manual"
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    proposals: dict[int, dict[str, str]] = field(default_factory=dict)  # number -> title, status, head
    commits: dict[str, Commit] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The user or org."""
        return self.id.split("/")[0]

    def at(self, revision: str) -> Commit:
        """Return the commit that a branch, a tag, a proposal or the beginning of a hash names."""
        name = revision.removeprefix("refs/heads/") or "main"
        proposal = re.fullmatch(r"refs/pr/(\d+)", name)
        if proposal and int(proposal[1]) in self.proposals:
            return self.commits[self.proposals[int(proposal[1])]["head"]]
        found = self.branches.get(name) or self.tags.get(name)
        if found is None and re.fullmatch(r"[0-9a-f]{7,40}", name):
            found = next((commit for commit in self.commits if commit.startswith(name)), None)
        if found is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[found]

    def move(self, revision: str, commit: str) -> None:
        """Let a branch or proposal be at a commit."""
        if proposal := re.fullmatch(r"refs/pr/(\d+)", revision):
            self.proposals[int(proposal[1])]["head"] = commit
        elif revision in self.branches:
            self.branches[revision] = commit
        else:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")


@dataclass
class Fault:
    """What befalls the next requests whose `METHOD /path` matches."""

    pattern: str
    status: int = 503
    times: int = 1
    skip: int = 0  # requests that are left alone first
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False  # the connection is closed without an answer
    after: bool = False  # what was asked for is done all the same
    hold: threading.Event | None = None  # the answer waits for it
    hit: threading.Event = field(default_factory=threading.Event)  # a request has come


class Store:
    """All that the Hub knows. One request is carried out at a time."""

    def __init__(self, root: Path, tokens: dict[str, User], cas: str | None) -> None:
        self.root, self.tokens, self.cas = root, tokens, cas
        for name in ("blobs", "large"):
            (root / name).mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.repos: dict[str, Repo] = {}
        self.requests: list[dict[str, Any]] = []
        self.faults: list[Fault] = []

    def put(self, content: bytes) -> str:
        """Keep a small file, and return its id."""
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        (self.root / "blobs" / oid).write_bytes(content)
        return oid

    def large(self, sha256: str) -> Path:
        """Where a large file is, or would be."""
        return self.root / "large" / sha256

    def place(self, entry: Entry) -> Path:
        """Where a file's content is."""
        return self.large(entry.sha256) if entry.sha256 else self.root / "blobs" / entry.oid

    def find(self, name: str, user: User | None) -> Repo:
        """Return a dataset, if the user may know of it."""
        repo = self.repos.get(name)
        if repo is None or (repo.private and not may_write(user, repo.owner)):
            raise Refused(404 if user else 401, "Repository not found", "RepoNotFound")
        return repo

    def create(self, name: str, user: User, private: bool) -> Repo:
        """Make a dataset."""
        repo = self.repos[name] = Repo(name, private=private)
        rules = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LARGE).encode()
        tree = {".gitattributes": Entry(self.put(rules), len(rules))}
        repo.branches["main"] = self.commit(repo, None, tree, "initial commit", user["name"]).id
        return repo

    def commit(self, repo: Repo, parent: str | None, tree: dict[str, Entry], title: str, user: str) -> Commit:
        """Add a commit."""
        listing = sorted((path, entry.oid) for path, entry in tree.items())
        seed = json.dumps([repo.id, len(repo.commits), parent, listing, title, user])
        made = Commit(hashlib.sha1(seed.encode()).hexdigest(), parent, title, user, tree)
        repo.commits[made.id] = made
        return made


def may_write(user: User | None, owner: str) -> bool:
    """Whether a user belongs to an owner."""
    return user is not None and (owner == user["name"] or owner in user["orgs"])


def writer(user: User | None, owner: str) -> User:
    """Return a user who may write. Raises Refused."""
    if user is None:
        raise Refused(401, "Invalid username or password.")
    if user["role"] != "write" or not may_write(user, owner):
        raise Refused(403, f"You don't have the rights to write to the namespace {owner}")
    return user
