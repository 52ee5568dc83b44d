"""Publishes a finished run on the Hugging Face Hub: one commit, one tag, then every config is checked."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glotmill.errors import EngineError, GlotmillError, UsageError
from glotmill.hub import footers, retry, verify
from glotmill.hub.client import Hub, Remote, open_hub
from glotmill.hub.package import Package, build_package, read_run_info
from glotmill.hub.publish_plan import (
    CARD,
    PublishOptions,
    PublishPlan,
    candidate_tags,
    check_options,
    file_sizes,
    plan_publish,
)
from glotmill.io.interrupt import stoppable
from glotmill.io.terminal import size as size_text
from glotmill.runner.run_folder import Run

CONFLICT = 409  # HTTP status: the name exists

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete


@dataclass(frozen=True)
class PublishedCommit:
    """The commit that holds a run."""

    plan: PublishPlan
    files: list[dict[str, Any]]  # sent now; empty if the run was published before
    commit: str
    page: str | None  # of the pull request


def publish(
    run: Run, options: PublishOptions, progress: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Publish a finished run, and return what is on the Hub now.

    The rows, card, manifest, recipe and report go in one commit. Then the tag is set, and every config is
    loaded into an empty cache and its rows are counted. Rows of other runs in the dataset stay. The same
    call again does only what is missing.

    progress: receives a line for each step that takes time.
    Raises UsageError: the run is not finished, the columns differ, or the tag is taken; EngineError: no
    login, no permission, no network; GlotmillError: the dataset does not load as it was sent.
    """
    read_run_info(run)  # before a lock file is written into it
    check_options(options)
    hub = open_hub(options.repo, progress)
    with stoppable("the same command resumes"):
        with run.lock(), tempfile.TemporaryDirectory(prefix="glotmill-") as folder:
            published = _send(hub, build_package(run, hub.token), options, Path(folder))
        result: dict[str, Any] = {
            "repo": options.repo,
            "url": published.page or hub.url,
            "commit": published.commit,
            "tag": _tag(hub, published.plan, options, published.commit),
            "run": published.plan.package.about(),
            "already": not published.files,
            "added": published.files,
            "rows": footers.rows(published.plan.files),
        }
        _verify(hub, result, options)
    return result


def dry_run(
    run: Run, options: PublishOptions, progress: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Return what `publish` would do, without doing it: files, configs, the card, and the remote dataset.

    progress: receives a line for each step that takes time.
    """
    hub = open_hub(options.repo, progress, writing=False)
    check_options(options)
    with tempfile.TemporaryDirectory(prefix="glotmill-") as folder:
        package = build_package(run, hub.token)
        plan = hub.retry(lambda: plan_publish(hub, package, options, Path(folder)), "looking at the dataset")
        files = [] if plan.complete else file_sizes(plan)
    remote = plan.remote
    own_files = plan.package.sha256
    return {
        "repo": options.repo,
        "url": hub.url,
        "login": hub.token is not None,
        "run": plan.package.about(),
        "already": plan.complete,
        "files": files,
        "gone": list(plan.obsolete),
        "configs": footers.rows(plan.files),
        "tag": plan.tag,
        "remote": remote
        and {
            "head": remote.head,
            "private": remote.private,
            "gated": remote.gated,
            "files": len(remote.sizes),
            "bytes": sum(remote.sizes.values()),
            "rows": footers.rows(footer for footer in plan.files if footer.path not in own_files),
            "tags": sorted(remote.tags),
        },
        "card": plan.texts[CARD].decode() if CARD in plan.texts else None,
    }


def _send(hub: Hub, package: Package, options: PublishOptions, folder: Path) -> PublishedCommit:
    """Commit once, unless the run is published: an earlier request may have succeeded without an answer."""
    plan = hub.retry(lambda: plan_publish(hub, package, options, folder), "looking at the dataset")
    _prepare(hub, plan, options)
    plans = [plan] if plan.remote else []
    files: list[dict[str, Any]] = []

    def commit() -> PublishedCommit:
        plan = plans.pop() if plans else plan_publish(hub, package, options, folder)
        if plan.remote is None:
            raise EngineError(f"{hub.repo}: not visible to this login; is it someone else's private dataset?")
        _protect(hub, plan.remote, options)
        if plan.complete:
            return PublishedCommit(plan, files, plan.remote.head, None)
        if options.pr and (proposal := _find_proposal(hub, plan)):
            return PublishedCommit(plan, files, *proposal)
        files[:] = file_sizes(plan)
        return PublishedCommit(plan, files, *_commit(hub, plan, plan.remote.head, options))

    return hub.retry(commit, "committing", race=True)


def _prepare(hub: Hub, plan: PublishPlan, options: PublishOptions) -> None:
    """Create the repository and the branch if they do not exist."""
    if plan.remote is None:
        hub.retry(
            lambda: hub.api.create_repo(
                hub.repo, repo_type="dataset", private=options.private or None, exist_ok=True
            ),
            f"creating {hub.repo}",
        )
    if options.revision and not options.revision.startswith("refs/"):
        branch = options.revision
        hub.retry(
            lambda: hub.api.create_branch(hub.repo, branch=branch, repo_type="dataset", exist_ok=True),
            f"creating the branch {branch}",
        )


def _protect(hub: Hub, remote: Remote, options: PublishOptions) -> None:
    """Set who may see the dataset, before any row is sent."""
    if options.private and not remote.private:
        hub.api.update_repo_settings(hub.repo, private=True, repo_type="dataset")
    if options.gated and remote.gated != options.gated:
        gated: Any = options.gated
        hub.api.update_repo_settings(hub.repo, gated=gated, repo_type="dataset")


def _commit(hub: Hub, plan: PublishPlan, head: str, options: PublishOptions) -> tuple[str, str | None]:
    """Commit, and return the commit id and the page of the pull request."""
    package = plan.package
    size = sum(path.stat().st_size for path in package.data.values())
    hub.progress(f"sending {len(package.data)} files of rows, {size_text(size)}, to {hub.repo}")
    rows = sum(footer.rows for footer in package.footers if footer.path in package.data)
    action = f"Add {rows:,} rows of" if rows else "Update the description of"
    commit_info = hub.api.create_commit(
        hub.repo,
        _operations(plan),
        commit_message=f"{action} the run {package.name} ({package.state})",
        repo_type="dataset",
        revision=options.revision,
        parent_commit=head,
        create_pr=options.pr,
    )
    return commit_info.oid, commit_info.pr_url


def _operations(plan: PublishPlan) -> "list[CommitOperationAdd | CommitOperationDelete]":
    """Return new operations for each try: the client records in them what it has sent."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    data = [
        CommitOperationAdd(path_in_dataset, str(path)) for path_in_dataset, path in plan.package.data.items()
    ]
    texts = [
        CommitOperationAdd(path_in_dataset, text) for path_in_dataset, text in sorted(plan.texts.items())
    ]
    return [
        *data,
        *texts,
        *(CommitOperationDelete(path_in_dataset, is_folder=False) for path_in_dataset in plan.obsolete),
    ]


def _find_proposal(hub: Hub, plan: PublishPlan) -> tuple[str, str] | None:
    """Return the commit and page of an open pull request with the same content, if there is one."""
    result = hub.api.get_repo_discussions(
        hub.repo, repo_type="dataset", discussion_type="pull_request", discussion_status="open"
    )
    for proposal in result:
        revision = f"refs/pr/{proposal.num}"
        remote = hub.snapshot(revision) if hub.holds(revision, plan.package.sha256) else None
        # rows that are on the main branch are in every pull request
        if remote and (plan.package.data or hub.read_text(CARD, remote).encode() == plan.texts[CARD]):
            return remote.head, f"{hub.url}/discussions/{proposal.num}"
    return None


def _verify(hub: Hub, result: Mapping[str, Any], options: PublishOptions) -> None:
    """Load all configs as any user would. Raises GlotmillError if one does not have its rows."""
    hub.progress(f"loading {len(result['rows'])} configs of {options.repo} into an empty cache")
    if problems := verify.verify(hub, result["commit"], result["rows"]):
        at = f"commit {result['commit'][:12]}" + (f", tag {result['tag']}" if result["tag"] else "")
        raise GlotmillError(
            f"{hub.url}: {at} is on the Hub, but does not load as sent:\n{problems}\n"
            "Run the same command again to check once more; nothing is sent twice. To revert the commit: "
            f"{hub.url}/commits/{options.revision or 'main'}"
        )


def _tag(hub: Hub, plan: PublishPlan, options: PublishOptions, head: str) -> str | None:
    """Tag the commit, unless it is tagged, and return the tag. Raises UsageError if the tag is taken."""
    if plan.tag is None or plan.tagged:
        return plan.tag
    names = candidate_tags(plan.package, options)
    for name in names[names.index(plan.tag) :]:
        if hub.retry(partial(_create_tag, hub, name, head, plan.package), f"creating the tag {name}"):
            return name
    raise UsageError(
        f"{hub.url}: commit {head[:12]} is published, but meanwhile its tag {plan.tag} was created "
        "elsewhere; run the same command with another --tag"
    )


def _create_tag(hub: Hub, tag: str, head: str, package: Package) -> bool:
    """Create a tag, and return whether it now points to this run."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        hub.api.create_tag(hub.repo, tag=tag, revision=head, repo_type="dataset")
    except HfHubHTTPError as error:
        if retry.status_code(error) != CONFLICT:
            raise
        return hub.holds(tag, package.sha256)  # an earlier request may have succeeded without an answer
    return True
