"""Publishes a finished run as a dataset on the Hugging Face Hub: one commit, a tag, a look at it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glotmill.cards import footers
from glotmill.errors import EngineError, GlotmillError
from glotmill.publishing import verified
from glotmill.publishing.hub import Hub, open_hub
from glotmill.publishing.parcel import Parcel, pack, refuse_no_run
from glotmill.publishing.published import size as size_text
from glotmill.publishing.release import CARD, Plan, Wishes, check, look, sizes
from glotmill.store import Run

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd


def publish(run: Run, wishes: Wishes, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Publish a finished run, and return what is on the Hub now.

    The rows, the card, the manifest, the recipe and the report go in one commit, then comes the tag, then
    every config is loaded in a fresh cache and its rows are counted. A dataset that has rows of other runs
    keeps them: this one's come in files of their own. The same call again does nothing, or what is missing.

    Raises UsageError: a run that is not finished, columns other than the dataset's, a tag that is taken;
    EngineError: no login, no right, no network; GlotmillError: what is there afterwards is not what was sent.
    """
    hub = open_hub(wishes.repo, tell)
    check(wishes)
    refuse_no_run(run)  # before there is a lock in it
    with run.lock():
        parcel = pack(run)
        plan = hub.again(lambda: look(hub, parcel, wishes), "looking at the dataset")
        _prepare(hub, plan, wishes)
        tries = 0

        def commit() -> tuple[Plan, str, str | None]:
            nonlocal tries
            tries += 1
            return _commit(hub, parcel, wishes, plan if tries == 1 and plan.remote else None)

        plan, head, proposed = hub.again(commit, "committing", race=True)
    found: dict[str, Any] = {
        "repo": wishes.repo,
        "url": proposed or hub.url,
        "commit": head,
        "tag": _tag(hub, plan, head),
        "run": parcel.about(),
        "already": plan.there and tries == 1,
        "added": [] if plan.there and tries == 1 else sizes(parcel, plan),
        "rows": footers.rows(plan.files),
    }
    tell(f"loading {len(found['rows'])} configs of {wishes.repo} in a fresh cache")
    wrong = verified.verify(hub, head, found["rows"])
    if wrong:
        tag = f", tag {found['tag']}" if found["tag"] else ""
        raise GlotmillError(
            f"{hub.url}: commit {head[:12]}{tag} is on the Hub, but it does not load as it should:\n{wrong}\n"
            "The same command again looks once more and sends nothing twice; what cannot be loaded is to be "
            f"taken back: {hub.url}/commits/{wishes.revision or 'main'}"
        )
    return found


def dry_run(run: Run, wishes: Wishes) -> dict[str, Any]:
    """Return what `publish` would do, without doing it: files, configs, the card, and what is there."""
    hub = open_hub(wishes.repo, lambda line: None, writing=False)
    check(wishes)
    parcel = pack(run)
    plan = hub.again(lambda: look(hub, parcel, wishes), "looking at the dataset")
    remote = plan.remote
    old = {} if remote is None else footers.rows([f for f in plan.files if f.path not in parcel.data])
    return {
        "repo": wishes.repo,
        "url": hub.url,
        "login": hub.token is not None,
        "run": parcel.about(),
        "already": plan.there,
        "files": [] if plan.there else sizes(parcel, plan),
        "configs": footers.rows(plan.files),
        "tag": plan.tag,
        "remote": remote
        and {
            "head": remote.head,
            "private": remote.private,
            "gated": remote.gated,
            "files": len(remote.sizes),
            "bytes": sum(remote.sizes.values()),
            "rows": old,
            "tags": sorted(remote.tags),
        },
        "card": plan.texts[CARD].decode() if CARD in plan.texts else None,
    }


def _prepare(hub: Hub, plan: Plan, wishes: Wishes) -> None:
    """Make the repository and its branch if need be, and set who may see it, before a row is there."""
    if plan.remote is None:
        hub.again(
            lambda: hub.api.create_repo(
                hub.repo, repo_type="dataset", private=wishes.private or None, exist_ok=True
            ),
            f"making {hub.repo}",
        )
    elif wishes.private and not plan.remote.private:
        hub.again(
            lambda: hub.api.update_repo_settings(hub.repo, private=True, repo_type="dataset"), "settings"
        )
    if wishes.gated and not (plan.remote and plan.remote.gated == wishes.gated):
        gated: Any = wishes.gated
        hub.again(
            lambda: hub.api.update_repo_settings(hub.repo, gated=gated, repo_type="dataset"), "settings"
        )
    if wishes.revision and not wishes.revision.startswith("refs/"):
        branch = wishes.revision
        hub.again(
            lambda: hub.api.create_branch(hub.repo, branch=branch, repo_type="dataset", exist_ok=True),
            f"making the branch {branch}",
        )


def _commit(hub: Hub, parcel: Parcel, wishes: Wishes, known: Plan | None) -> tuple[Plan, str, str | None]:
    """Commit once, unless the run is there: what was asked for before may have come through unheard."""
    plan = known or look(hub, parcel, wishes)
    if plan.remote is None:
        raise EngineError(
            f"{hub.repo}: the Hub does not show it to this login; is it another's private dataset?"
        )
    if plan.there:
        return plan, plan.remote.head, None
    if wishes.pr and (proposed := _proposed(hub, parcel)):
        return plan, *proposed
    size = sum(path.stat().st_size for path in parcel.data.values())
    hub.tell(f"sending {len(parcel.data)} files of rows, {size_text(size)}, to {hub.repo}")
    rows = sum(footer.rows for footer in parcel.footers)
    done = hub.api.create_commit(
        hub.repo,
        _operations(parcel, plan),
        commit_message=f"Add {rows:,} rows of the run {parcel.name} ({parcel.id})",
        repo_type="dataset",
        revision=wishes.revision,
        parent_commit=plan.remote.head,
        create_pr=wishes.pr,
    )
    return plan, done.oid, done.pr_url


def _operations(parcel: Parcel, plan: Plan) -> "list[CommitOperationAdd]":
    """Made anew for each try: the client notes in them what it has sent."""
    from huggingface_hub import CommitOperationAdd

    data = [CommitOperationAdd(place, str(path)) for place, path in parcel.data.items()]
    return [*data, *(CommitOperationAdd(place, text) for place, text in sorted(plan.texts.items()))]


def _proposed(hub: Hub, parcel: Parcel) -> tuple[str, str] | None:
    """The commit and the page of an open proposal that has the run."""
    found = hub.api.get_repo_discussions(
        hub.repo, repo_type="dataset", discussion_type="pull_request", discussion_status="open"
    )
    for proposal in found:
        revision = f"refs/pr/{proposal.num}"
        if hub.holds(revision, parcel.sha256) and (remote := hub.look(revision)):
            return remote.head, f"{hub.url}/discussions/{proposal.num}"
    return None


def _tag(hub: Hub, plan: Plan, head: str) -> str | None:
    """Give the commit its tag, unless it has it, and return it."""
    name = plan.tag
    if name is None or plan.tagged:
        return name
    hub.again(
        lambda: hub.api.create_tag(hub.repo, tag=name, revision=head, repo_type="dataset", exist_ok=True),
        f"giving the tag {name}",
    )
    return name
