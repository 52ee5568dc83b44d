"""`glotmill publish`: puts a finished run on the Hugging Face Hub, or prints what it would send."""

from collections.abc import Mapping
from typing import Any

import click

from glotmill.cli import options


@click.command("publish")
@click.argument("run", metavar="RUN")
@click.option("--repo", required=True, metavar="ORG/NAME", help="Dataset to publish to; created if missing.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and the card; send nothing.")
@click.option("--private", is_flag=True, help="Make the dataset private.")
@click.option(
    "--gated",
    type=click.Choice(["auto", "manual"]),
    help="Require readers to request access: granted automatically, or manually by you.",
)
@click.option("--pr", is_flag=True, help="Open a pull request, for review or where you have no write access.")
@click.option("--revision", metavar="BRANCH", help="Branch to publish to.  [default: main]")
@click.option("--tag", metavar="TAG", help="Tag of the commit.  [default: the run's name]")
@click.option(
    "--license", metavar="ID", help="License, for example cc-by-4.0.  [default: as the card on the Hub says]"
)
@options.trust_code
@options.as_json
def command(run: str, dry_run: bool, as_json: bool, **arguments: Any) -> None:
    """Publish a finished run on the Hugging Face Hub.

    Adds the rows to the dataset if it exists. Uses the login of `hf auth login`, or HF_TOKEN. The same
    command resumes where it stopped, and sends nothing twice.
    """
    from pathlib import Path

    from glotmill.hub import publish
    from glotmill.hub.publish_plan import PublishOptions
    from glotmill.io import terminal
    from glotmill.runner.run_folder import Run

    publish_options = PublishOptions(**arguments)
    folder = Run(Path(run))

    def progress(line: str) -> None:
        click.echo(f"glotmill: {terminal.safe(line)}", err=True)

    if dry_run:
        result = publish.dry_run(folder, publish_options, progress)
        text = dry_run_text
    else:
        result = publish.publish(folder, publish_options, progress)
        text = published_text
    click.echo(terminal.json_text(result) if as_json else text(result))


def published_text(result: Mapping[str, Any]) -> str:
    """Return the configs with their rows, what was sent, and how to load it."""
    from glotmill.hub.footers import ALL
    from glotmill.io.terminal import safe, size

    url = safe(result["url"])
    first_tag = next(tag for tag in result["rows"] if tag != ALL)
    revision = safe(result["tag"] or result["commit"])
    if result["already"]:
        sent = f"{url} already has this run ({result['run']['id']}): nothing was sent"
    else:
        sent = (
            f"{url}: {len(result['added']):,} files, {size(sum(file['bytes'] for file in result['added']))}"
        )
    commit = f"commit {safe(result['commit'])}"
    if result["tag"]:
        commit += f", tag {safe(result['tag'])}"
    return "\n".join(
        [
            _config_table(result["rows"], result["run"]["rows"]),
            "",
            sent,
            commit,
            f"Verified: all {len(result['rows']):,} configs load from the Hub with these rows",
            f'Next: datasets.load_dataset("{result["repo"]}", "{first_tag}", revision="{revision}")',
        ]
    )


def dry_run_text(result: Mapping[str, Any]) -> str:
    """Return the dataset on the Hub, its configs with their rows, the files to send and the card."""
    from glotmill.io.terminal import columns, safe, size

    parts = [_remote_text(result), _config_table(result["configs"], result["run"]["rows"])]
    if result["already"]:
        parts.append(f"The dataset already has this run ({result['run']['id']}): nothing would be sent.")
    else:
        rows = [("file", "size", "rows")]
        for file in result["files"]:
            rows.append((file["path"], size(file["bytes"]), f"{file['rows']:,}" if "rows" in file else ""))
        parts.append(columns(rows, right=(1, 2)))
        if result["gone"]:
            parts.append(
                f"Files to delete, because the run no longer has them: {safe(', '.join(result['gone']))}"
            )
        rule = "-" * 8
        parts.append(f"{rule} README.md\n{safe(result['card'])}{rule}")
    end = "Nothing was sent."
    if result["tag"]:
        end += f" The tag would be {safe(result['tag'])}."
    if not result["login"]:
        end += " You are not logged in: run `hf auth login`, or set HF_TOKEN."
    return "\n\n".join([*parts, end])


def _remote_text(result: Mapping[str, Any]) -> str:
    from glotmill.hub.footers import ALL
    from glotmill.io.terminal import safe, size

    url, remote = safe(result["url"]), result["remote"]
    if not remote:
        return f"{url}: not there yet (or not visible to this login); it would be created"
    facts = [
        f"{remote['files']:,} files",
        size(remote["bytes"]),
        f"{remote['rows'].get(ALL, 0):,} rows of other runs",
    ]
    if remote["private"]:
        facts.append("private")
    if remote["gated"]:
        facts.append(f"gated ({remote['gated']})")
    if remote["tags"]:
        facts.append(f"tags {safe(', '.join(remote['tags']))}")
    return f"{url} at {remote['head'][:12]}: {'; '.join(facts)}"


def _config_table(totals: Mapping[str, int], added: Mapping[str, int]) -> str:
    """A line for each config. totals: rows on the Hub; added: rows of this run, by language."""
    from glotmill.hub.footers import ALL
    from glotmill.io.terminal import columns
    from glotmill.languages import find as find_language

    rows = [("config", "language", "of this run", "rows")]
    for name, total in totals.items():
        language = "" if name == ALL else find_language(name).name
        count = sum(added.values()) if name == ALL else added.get(name, 0)
        rows.append((name, language, f"{count:,}", f"{total:,}"))
    return columns(rows, right=(2, 3))
