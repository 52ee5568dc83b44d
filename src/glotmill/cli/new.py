"""`glotmill new`: copies the starter recipe into a new folder."""

import shlex
from pathlib import Path
from string import Template

import click

from glotmill.cli import options
from glotmill.errors import UsageError

STARTER = Path(__file__).parent / "starter"
FILES = ("recipe.yaml", "answer.j2", "answer.spa_Latn.j2", "seeds.jsonl", "README.md")


@click.command("new")
@click.argument("folder")
@options.as_json
def command(folder: str, as_json: bool) -> None:
    """Create a recipe of your own, ready to run.

    Writes recipe.yaml, two templates, seeds and a README into a new folder.
    """
    from glotmill.io import terminal

    paths = write_starter(Path(folder))
    if as_json:
        click.echo(terminal.json_text({"folder": folder, "files": [str(path) for path in paths]}))
        return
    for path in paths:
        click.echo(terminal.safe(path))
    click.echo(f"Next: glotmill check {shlex.quote(folder)}", err=True)


def write_starter(folder: Path) -> list[Path]:
    """Write the starter recipe and return its files. Raises UsageError if the folder holds anything."""
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder}: not empty; choose a new folder")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file; choose a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder) if folder.is_absolute() else f"./{folder}"  # a bare name could be a built-in recipe
    for name in FILES:
        text = (STARTER / name).read_text(encoding="utf-8")
        if name == "README.md":
            text = Template(text).substitute(name=folder.resolve().name, path=shlex.quote(path))
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in FILES]
