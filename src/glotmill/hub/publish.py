"""Publishes a finished run as a dataset on the Hugging Face Hub: one commit, a tag, a look at it."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glotmill.errors import EngineError, GlotmillError, UsageError
from glotmill.hub import footers, retry, verify
from glotmill.hub.client import Hub, Remote, open_hub
from glotmill.hub.interrupt import stoppable
from glotmill.hub.package import Package, pack, refuse_no_run
from glotmill.hub.release import CARD, PublishOptions, PublishPlan, check, look, sizes, tags
from glotmill.io.terminal import size as size_text
from glotmill.runner.folder import Run

TAKEN = 409  # the name is

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete


@dataclass(frozen=True)
class Sent:
    """What came of a run on the Hub."""

    plan: PublishPlan
    files: list[dict[str, Any]]  # that were sent; none if the run was there already
    commit: str
    page: str | None  # of the proposal


def publish(
    run: Run, options: PublishOptions, tell: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Publish a finished run, and return what is on the Hub now.

    The rows, the card, the manifest, the recipe and the report go in one commit, then comes the tag, then
    every config is loaded in a fresh cache and its rows are counted. A dataset that has rows of other runs
    keeps them: this one's come in files of their own. The same call again does nothing, or what is missing.

    Raises UsageError: a run that is not finished, columns other than the dataset's, a tag that is taken;
    EngineError: no login, no right, no network; GlotmillError: what is there afterwards is not what was sent.
    """
    hub = open_hub(options.repo, tell)
    check(options)
    refuse_no_run(run)  # before there is a lock in it
    with stoppable():
        with run.lock(), tempfile.TemporaryDirectory(prefix="glotmill-") as folder:
            sent = _send(hub, pack(run, hub.token), options, Path(folder))
        found: dict[str, Any] = {
            "repo": options.repo,
            "url": sent.page or hub.url,
            "commit": sent.commit,
            "tag": _tag(hub, sent.plan, options, sent.commit),
            "run": sent.plan.package.about(),
            "already": not sent.files,
            "added": sent.files,
            "rows": footers.rows(sent.plan.files),
        }
        _verify(hub, found, options)
    return found


def dry_run(run: Run, options: PublishOptions) -> dict[str, Any]:
    """Return what `publish` would do, without doing it: files, configs, the card, and what is there."""
    hub = open_hub(options.repo, lambda line: None, writing=False)
    check(options)
    with tempfile.TemporaryDirectory(prefix="glotmill-") as folder:
        package = pack(run, hub.token)
        plan = hub.again(lambda: look(hub, package, options, Path(folder)), "looking at the dataset")
        files = [] if plan.there else sizes(plan)
    remote = plan.remote
    own = plan.package.sha256
    return {
        "repo": options.repo,
        "url": hub.url,
        "login": hub.token is not None,
        "run": plan.package.about(),
        "already": plan.there,
        "files": files,
        "gone": list(plan.gone),
        "configs": footers.rows(plan.files),
        "tag": plan.tag,
        "remote": remote
        and {
            "head": remote.head,
            "private": remote.private,
            "gated": remote.gated,
            "files": len(remote.sizes),
            "bytes": sum(remote.sizes.values()),
            "rows": footers.rows(footer for footer in plan.files if footer.path not in own),
            "tags": sorted(remote.tags),
        },
        "card": plan.texts[CARD].decode() if CARD in plan.texts else None,
    }


def _send(hub: Hub, package: Package, options: PublishOptions, folder: Path) -> Sent:
    """Commit once, unless the run is there: what was asked for before may have come through unheard."""
    plan = hub.again(lambda: look(hub, package, options, folder), "looking at the dataset")
    _prepare(hub, plan, options)
    plans = [plan] if plan.remote else []
    files: list[dict[str, Any]] = []

    def commit() -> Sent:
        plan = plans.pop() if plans else look(hub, package, options, folder)
        if plan.remote is None:
            raise EngineError(
                f"{hub.repo}: the Hub does not show it to this login; is it another's private dataset?"
            )
        _protect(hub, plan.remote, options)
        if plan.there:
            return Sent(plan, files, plan.remote.head, None)
        if options.pr and (proposed := _proposed(hub, plan)):
            return Sent(plan, files, *proposed)
        files[:] = sizes(plan)
        return Sent(plan, files, *_commit(hub, plan, plan.remote.head, options))

    return hub.again(commit, "committing", race=True)


def _prepare(hub: Hub, plan: PublishPlan, options: PublishOptions) -> None:
    """Make the repository and its branch if need be."""
    if plan.remote is None:
        hub.again(
            lambda: hub.api.create_repo(
                hub.repo, repo_type="dataset", private=options.private or None, exist_ok=True
            ),
            f"making {hub.repo}",
        )
    if options.revision and not options.revision.startswith("refs/"):
        branch = options.revision
        hub.again(
            lambda: hub.api.create_branch(hub.repo, branch=branch, repo_type="dataset", exist_ok=True),
            f"making the branch {branch}",
        )


def _protect(hub: Hub, remote: Remote, options: PublishOptions) -> None:
    """Set who may see the dataset, before a row is there."""
    if options.private and not remote.private:
        hub.api.update_repo_settings(hub.repo, private=True, repo_type="dataset")
    if options.gated and remote.gated != options.gated:
        gated: Any = options.gated
        hub.api.update_repo_settings(hub.repo, gated=gated, repo_type="dataset")


def _commit(hub: Hub, plan: PublishPlan, head: str, options: PublishOptions) -> tuple[str, str | None]:
    """Return the commit, and the page of its proposal."""
    package = plan.package
    size = sum(path.stat().st_size for path in package.data.values())
    hub.tell(f"sending {len(package.data)} files of rows, {size_text(size)}, to {hub.repo}")
    rows = sum(footer.rows for footer in package.footers if footer.path in package.data)
    what = f"Add {rows:,} rows of" if rows else "Tell anew of"
    done = hub.api.create_commit(
        hub.repo,
        _operations(plan),
        commit_message=f"{what} the run {package.name} ({package.state})",
        repo_type="dataset",
        revision=options.revision,
        parent_commit=head,
        create_pr=options.pr,
    )
    return done.oid, done.pr_url


def _operations(plan: PublishPlan) -> "list[CommitOperationAdd | CommitOperationDelete]":
    """Made anew for each try: the client notes in them what it has sent."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    data = [CommitOperationAdd(place, str(path)) for place, path in plan.package.data.items()]
    texts = [CommitOperationAdd(place, text) for place, text in sorted(plan.texts.items())]
    return [*data, *texts, *(CommitOperationDelete(place, is_folder=False) for place in plan.gone)]


def _proposed(hub: Hub, plan: PublishPlan) -> tuple[str, str] | None:
    """The commit and the page of an open proposal that has the run, and says the same of it."""
    found = hub.api.get_repo_discussions(
        hub.repo, repo_type="dataset", discussion_type="pull_request", discussion_status="open"
    )
    for proposal in found:
        revision = f"refs/pr/{proposal.num}"
        remote = hub.look(revision) if hub.holds(revision, plan.package.sha256) else None
        # a run whose rows are on the main branch is in every proposal
        if remote and (plan.package.data or hub.text(CARD, remote).encode() == plan.texts[CARD]):
            return remote.head, f"{hub.url}/discussions/{proposal.num}"
    return None


def _verify(hub: Hub, found: Mapping[str, Any], options: PublishOptions) -> None:
    """Load all configs as a stranger would. Raises GlotmillError where one has not its rows."""
    hub.tell(f"loading {len(found['rows'])} configs of {options.repo} in a fresh cache")
    if wrong := verify.verify(hub, found["commit"], found["rows"]):
        at = f"commit {found['commit'][:12]}" + (f", tag {found['tag']}" if found["tag"] else "")
        raise GlotmillError(
            f"{hub.url}: {at} is on the Hub, but it does not load as it should:\n{wrong}\n"
            "The same command again looks once more and sends nothing twice; what cannot be loaded is to be "
            f"taken back: {hub.url}/commits/{options.revision or 'main'}"
        )


def _tag(hub: Hub, plan: PublishPlan, options: PublishOptions, head: str) -> str | None:
    """Give the commit its tag, unless it has it, and return it. Raises UsageError where another has it."""
    if plan.tag is None or plan.tagged:
        return plan.tag
    names = tags(plan.package, options)
    for name in names[names.index(plan.tag) :]:
        if hub.again(partial(_give, hub, name, head, plan.package), f"giving the tag {name}"):
            return name
    raise UsageError(
        f"{hub.url}: commit {head[:12]} is there, but its tag {plan.tag} was given to another meanwhile; "
        "the same command with another --tag gives it one"
    )


def _give(hub: Hub, tag: str, head: str, package: Package) -> bool:
    """Give a tag, and return whether it is that of the run now."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        hub.api.create_tag(hub.repo, tag=tag, revision=head, repo_type="dataset")
    except HfHubHTTPError as error:
        if retry.status(error) != TAKEN:
            raise
        return hub.holds(tag, package.sha256)  # it may have been given before, unheard
    return True
