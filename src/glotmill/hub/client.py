"""The Hugging Face Hub: what a dataset's repository holds, and calls that are made again when that may help.

The client of the Hub makes some calls again by itself, but neither the making of a repository nor a commit.
The token comes from HF_TOKEN or the stored login, goes to the Hub and nowhere else: no error tells it.
"""

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from glotmill.errors import EngineError, GlotmillError, UsageError
from glotmill.hub import footers, retry
from glotmill.hub.range_file import Ranged
from glotmill.io.hub_names import is_hub_id

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

TRIES = 8  # of one call
READERS = 8  # footers that are read at once
PATHS = 500  # that are asked about at once; the Hub takes no more than 1,000
MOST_BYTES = 100_000_000  # of a card or a manifest
DATA = re.compile(rf"data/[^/]+/{footers.SPLIT}-[^/]+\.parquet")  # where glotmill puts rows


@dataclass(frozen=True)
class Remote:
    """What a repository holds at one commit."""

    head: str
    private: bool
    gated: Any  # False, "auto" or "manual"
    sha256: dict[str, str | None]  # path -> of a large file; of a small one nothing is known
    sizes: dict[str, int]
    tags: dict[str, str]  # tag -> commit

    @property
    def data(self) -> list[str]:
        """The files of rows."""
        return [path for path in self.sizes if DATA.fullmatch(path)]


@dataclass(frozen=True)
class Hub:
    """The Hub as one user sees it, and one dataset there."""

    repo: str
    api: "HfApi"
    token: str | None = field(repr=False)
    tell: Callable[[str], None]  # gets a line for each thing that is waited for

    @property
    def url(self) -> str:
        """Where a person looks at the dataset."""
        return f"{self.api.endpoint}/datasets/{self.repo}"

    def again(self, call: Callable[[], T], what: str, *, race: bool = False) -> T:
        """Carry out a call, again after a while if the Hub is busy or out of reach, and return what it does.

        race: also if somebody else committed first; `call` looks at the repository anew each time.
        Raises EngineError if it cannot be done: refused, or still busy after 8 tries or 15 minutes of waits.
        """
        waited = 0.0
        for number in range(1, TRIES + 1):
            retry.bound()
            try:
                return call()
            except retry.kinds() as error:
                said, status = retry.said(error, self.token), retry.status(error)
                wait = retry.wait(error, number)
                passing = retry.passing(error) or (race and status == retry.LOST_RACE)
            # Outside of `except`: an error of the client may tell the token, and is not to be kept with ours.
            if not passing:
                raise _refusal(f"{what}: {said}", status, self)
            if number == TRIES or waited + wait > retry.PATIENCE:
                break
            waited += wait
            self.tell(f"{what}: {said}; again in {wait:.0f} s")
            time.sleep(wait)
        tries = "1 try" if number == 1 else f"{number} tries"
        raise EngineError(
            f"{what}: {said}; given up after {tries}; the next would be in {wait:,.0f} s. Nothing is lost: "
            "the same command again goes on"
        )

    def look(self, revision: str | None) -> Remote | None:
        """Return what the repository holds at a revision; None if there is no such repository or revision."""
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
        from huggingface_hub.hf_api import RepoFile

        try:
            info = self.api.dataset_info(self.repo, revision=revision)
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            if retry.status(error) == 401 and self.token:
                raise  # a token that is wrong
            return None
        files = [
            item
            for item in self.api.list_repo_tree(
                self.repo, recursive=True, revision=info.sha, repo_type="dataset"
            )
            if isinstance(item, RepoFile)
        ]
        refs = self.api.list_repo_refs(self.repo, repo_type="dataset")
        return Remote(
            str(info.sha),
            bool(info.private),
            info.gated or False,
            {file.path: file.lfs.sha256 if file.lfs else None for file in files},
            {file.path: file.size for file in files},
            {tag.name: tag.target_commit for tag in refs.tags},
        )

    def holds(self, revision: str, sha256: Mapping[str, str]) -> bool:
        """Return whether all of these files are there at a revision, with these hashes."""
        paths = sorted(sha256)
        for start in range(0, len(paths), PATHS):
            asked = paths[start : start + PATHS]
            found = self.api.get_paths_info(self.repo, asked, revision=revision, repo_type="dataset")
            there = {file.path: lfs.sha256 for file in found if (lfs := getattr(file, "lfs", None))}
            if there != {path: sha256[path] for path in asked}:
                return False
        return True

    def text(self, path: str, remote: Remote) -> str:
        """Return a small file's text at a commit. Raises UsageError for what is no text of ours."""
        if remote.sizes[path] > MOST_BYTES:
            raise UsageError(f"{self.repo}: {path} has {remote.sizes[path]:,} bytes, which no card has")
        return self._open(path, remote).read().decode("utf-8", "replace")

    def footers(self, paths: Sequence[str], remote: Remote) -> list[footers.Footer]:
        """Read the footers of files at a commit: a request for each, for its last 64 kB at most."""
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(lambda p: footers.read(p, self._open(p, remote), remote.sizes[p]), paths))

    def ids(self, paths: Sequence[str], remote: Remote) -> list[list[str]]:
        """Read of each file the ids of its first rows."""
        with ThreadPoolExecutor(READERS) as pool:
            return list(pool.map(lambda path: footers.ids(self._open(path, remote)), paths))

    def fetch(self, path: str, remote: Remote, folder: Path) -> Path:
        """Return where a whole file at a commit is now, somewhere in a folder."""
        found = self.api.hf_hub_download(
            self.repo, path, repo_type="dataset", revision=remote.head, local_dir=folder
        )
        return Path(found)

    def _open(self, path: str, remote: Remote) -> "Ranged":
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(
            self.repo, path, repo_type="dataset", revision=remote.head, endpoint=self.api.endpoint
        )
        return Ranged(url, remote.sizes[path], self.token)


def open_hub(repo: str, tell: Callable[[str], None], *, writing: bool = True) -> Hub:
    """Return the Hub, for one dataset.

    writing: whether a login is needed. Raises UsageError for a name that no dataset can have and where the
    environment says to stay offline, and EngineError without a login.
    """
    from huggingface_hub import HfApi, constants, get_token
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not is_hub_id(repo):
        raise UsageError(f"--repo {repo}: write it as org/name, of letters, digits, - _ and .")
    if constants.HF_HUB_OFFLINE:
        raise UsageError("the environment says HF_HUB_OFFLINE=1: nothing can be published; unset it")
    if not sys.stderr.isatty():
        disable_progress_bars()
    token = get_token()
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise EngineError("HF_TOKEN (or the stored login) holds characters that no token has; copy it anew")
    if writing and not token:
        raise EngineError("no login to the Hugging Face Hub: say `hf auth login`, or set HF_TOKEN")
    return Hub(repo, HfApi(token=token or False, library_name="glotmill"), token, tell)


def _refusal(text: str, status: int | None, hub: Hub) -> GlotmillError:
    if status == 401:
        return EngineError(f"{text}. The Hub does not know this login: say `hf auth login`, or set HF_TOKEN")
    if status in (402, 403):
        return EngineError(f"{text}. The login may not write to {hub.repo}: use a token that may")
    if status == retry.LOST_RACE or (status or 0) >= 500:
        return EngineError(text)
    return GlotmillError(text)
