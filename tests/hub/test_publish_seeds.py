"""A published run gives the seeds of the next."""

import json
from collections.abc import Callable
from pathlib import Path

from hub.client import Client
from hub.emulator import Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]


def test_seeds(hub: Emulator, glotmill: Client, make: Make, name: str, tmp_path: Path) -> None:
    run = make()
    glotmill("publish", run.folder, "--repo", name, "--private")
    recipe = tmp_path / "further"
    recipe.mkdir()
    (recipe / "recipe.yaml").write_text(
        "about: x\nlanguages: [eng_Latn]\nseeds: seeds.jsonl\nsteps: [{generate: more}]\n"
        "output: {messages: {user: topic, assistant: more}}\n"
    )
    (recipe / "more.j2").write_text("More about {{ topic }}.")
    arguments = ("-n", "4", "--engine", "echo", "--model", "echo", "-o", tmp_path / "next", "--json")
    done = glotmill("run", recipe, "--seeds", f"hf://{name}", *arguments)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [(each["language"], each["accepted"]) for each in found["languages"]] == [("eng_Latn", 4)]
    assert [row["messages"][0]["content"] for row in found["rows"]] == ["topic 0"]
    assert hub.asked(f"GET /datasets/{name}/resolve/")
