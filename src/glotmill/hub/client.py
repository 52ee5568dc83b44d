"""One dataset on the Hugging Face Hub: its content at a commit, and calls that are retried.

huggingface_hub retries some calls itself, but not creating a repository and not committing. The token comes
from HF_TOKEN or the stored login and is sent only to the Hub; no error message contains it.
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
from glotmill.hub.range_file import RangeFile
from glotmill.io.hub_names import is_hub_id

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

TRIES = 8  # per call
PARALLEL_READS = 8  # footers read at the same time
PATHS_PER_REQUEST = 500  # per request; the Hub accepts up to 1,000
MAX_TEXT_BYTES = 100_000_000  # of a card or a manifest
DATA = re.compile(rf"data/[^/]+/{footers.SPLIT}-[^/]+\.parquet")  # paths of row files


@dataclass(frozen=True)
class Remote:
    """The content of a repository at one commit."""

    head: str
    private: bool
    gated: Any  # False, "auto" or "manual"
    sha256: dict[str, str | None]  # path -> hash of an LFS file; None for small files
    sizes: dict[str, int]
    tags: dict[str, str]  # tag -> commit

    @property
    def data(self) -> list[str]:
        """The paths of row files."""
        return [path for path in self.sizes if DATA.fullmatch(path)]


@dataclass(frozen=True)
class Hub:
    """One dataset on the Hub, as one user sees it."""

    repo: str
    api: "HfApi"
    token: str | None = field(repr=False)
    progress: Callable[[str], None]  # receives a line for each step that takes time

    @property
    def url(self) -> str:
        """The web page of the dataset."""
        return f"{self.api.endpoint}/datasets/{self.repo}"

    def retry(self, call: Callable[[], T], what: str, *, race: bool = False) -> T:
        """Return the result of a call, retrying it while the Hub is busy or out of reach.

        what: the step, for messages. race: also retry if someone else committed first; `call` must then read
        the repository again. Raises EngineError if the Hub refuses, or after 8 tries or 15 minutes.
        """
        waited_s = 0.0
        for number in range(1, TRIES + 1):
            retry.limit_waits()
            try:
                return call()
            except retry.client_errors() as error:
                description, status = retry.describe(error, self.token), retry.status_code(error)
                wait = retry.seconds_to_wait(error, number)
                passing = retry.is_temporary(error) or (race and status == retry.LOST_RACE)
            # Outside of `except`, so that our error is not chained to one that may contain the token.
            if not passing:
                raise _refusal(f"{what}: {description}", status, self)
            if number == TRIES or waited_s + wait > retry.MAX_TOTAL_WAIT_S:
                break
            waited_s += wait
            self.progress(f"{what}: {description}; trying again in {wait:.0f} s")
            time.sleep(wait)
        tries = "1 try" if number == 1 else f"{number} tries"
        raise EngineError(
            f"{what}: {description}; gave up after {tries}; the next would be in {wait:,.0f} s. "
            "Nothing is lost: run the same command again to continue"
        )

    def snapshot(self, revision: str | None) -> Remote | None:
        """Return the content of the repository at a revision, or None if either does not exist."""
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
        from huggingface_hub.hf_api import RepoFile

        try:
            info = self.api.dataset_info(self.repo, revision=revision)
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            if retry.status_code(error) == 401 and self.token:
                raise  # the token is wrong
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
        """Return whether a revision has all of these files with these hashes."""
        paths = sorted(sha256)
        for start in range(0, len(paths), PATHS_PER_REQUEST):
            batch = paths[start : start + PATHS_PER_REQUEST]
            infos = self.api.get_paths_info(self.repo, batch, revision=revision, repo_type="dataset")
            hashes = {file.path: lfs.sha256 for file in infos if (lfs := getattr(file, "lfs", None))}
            if hashes != {path: sha256[path] for path in batch}:
                return False
        return True

    def read_text(self, path: str, remote: Remote) -> str:
        """Return the text of a small file at a commit. Raises UsageError if it is too large for a card."""
        if remote.sizes[path] > MAX_TEXT_BYTES:
            raise UsageError(
                f"{self.repo}: {path} has {remote.sizes[path]:,} bytes, too large for a card or manifest"
            )
        return self._open(path, remote).read().decode("utf-8", "replace")

    def footers(self, paths: Sequence[str], remote: Remote) -> list[footers.Footer]:
        """Return the parquet footers of files at a commit; each costs one request of up to 64 kB."""
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            return list(pool.map(lambda p: footers.read(p, self._open(p, remote), remote.sizes[p]), paths))

    def first_ids(self, paths: Sequence[str], remote: Remote) -> list[list[str]]:
        """Return the ids of the first rows of each file."""
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            return list(pool.map(lambda path: footers.ids(self._open(path, remote)), paths))

    def download(self, path: str, remote: Remote, folder: Path) -> Path:
        """Download a file at a commit into a folder, and return its path."""
        infos = self.api.hf_hub_download(
            self.repo, path, repo_type="dataset", revision=remote.head, local_dir=folder
        )
        return Path(infos)

    def _open(self, path: str, remote: Remote) -> "RangeFile":
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(
            self.repo, path, repo_type="dataset", revision=remote.head, endpoint=self.api.endpoint
        )
        return RangeFile(url, remote.sizes[path], self.token)


def open_hub(repo: str, progress: Callable[[str], None], *, writing: bool = True) -> Hub:
    """Return the Hub for one dataset.

    writing: a login is required. Raises UsageError for an invalid name and in offline mode, and EngineError
    without a login.
    """
    from huggingface_hub import HfApi, constants, get_token
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not is_hub_id(repo):
        raise UsageError(f"--repo {repo}: write it as org/name, with letters, digits, - _ and .")
    if constants.HF_HUB_OFFLINE:
        raise UsageError("HF_HUB_OFFLINE is set, so nothing can be published; unset it")
    if not sys.stderr.isatty():
        disable_progress_bars()
    token = get_token()
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise EngineError("HF_TOKEN (or the stored login) has characters that no token has; copy it again")
    if writing and not token:
        raise EngineError("not logged in to the Hugging Face Hub; run `hf auth login`, or set HF_TOKEN")
    return Hub(repo, HfApi(token=token or False, library_name="glotmill"), token, progress)


def _refusal(text: str, status: int | None, hub: Hub) -> GlotmillError:
    if status == 401:
        return EngineError(
            f"{text}. The Hub does not accept this login; run `hf auth login`, or set HF_TOKEN"
        )
    if status in (402, 403):
        return EngineError(f"{text}. This login may not write to {hub.repo}; use a token with write access")
    if status == retry.LOST_RACE or (status or 0) >= 500:
        return EngineError(text)
    return GlotmillError(text)
