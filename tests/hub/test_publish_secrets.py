"""What is published, written or said holds no token, no place on this machine and no other secret."""

import gzip
import json
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest
from finished import finished, rows
from hub.client import ABOUT, RECIPE, Client, environment
from hub.emulator import TOKENS, Emulator

from glotmill.runner.run_folder import Run

Make = Callable[..., Run]
MARKER = "hf_MARKERmarkerMARKERmarker123456"
RAISING = """
import sys, traceback
from pathlib import Path
from glotmill.hub.client import open_hub
from glotmill.hub.publish import publish
from glotmill.hub.publish_plan import PublishOptions
from glotmill.runner.run_folder import Run
try:
    publish(Run(Path(sys.argv[1])), PublishOptions(sys.argv[2]))
except Exception as error:
    traceback.print_exc()
    while error:
        print(repr(error), str(error), vars(error))
        error = error.__cause__ or error.__context__
print(open_hub(sys.argv[2], print))
"""


def test_token_is_nowhere(tmp_path: Path, make: Make) -> None:
    """The token is in nothing that a publish leaves or says, whether it comes to its end or not."""
    home = tmp_path / "home"
    home.mkdir()
    run = make()
    said = []
    with Emulator(tokens={MARKER: TOKENS["hf_write"]}) as hub:
        given = {**environment(hub.endpoint, home, xet=False), "HF_TOKEN": MARKER, "HF_DEBUG": "1"}
        given |= {"HF_HUB_VERBOSITY": "debug", "TMPDIR": str(tmp_path)}
        for number, fault in enumerate([None, "POST /api/repos/create", "POST .*/commit/"]):
            if fault:
                hub.fail(fault, status=400, headers={"X-Error-Message": f"Bearer {MARKER} is bad"})
            command = [sys.executable, "-c", RAISING, str(run.folder), f"acme/demo-{number}"]
            done = subprocess.run(
                command, env=given, capture_output=True, text=True, encoding="utf-8", check=False
            )
            said.append(done.stdout + done.stderr)
        for path in (path for path in hub.root.rglob("*") if path.is_file()):
            assert MARKER.encode() not in path.read_bytes(), path
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert MARKER.encode() not in path.read_bytes(), path
    assert "is bad" in said[1]
    assert "is bad" in said[2]
    assert not [text for text in said if MARKER in text]


def test_odd_token(hub: Emulator, make: Make, tmp_path: Path) -> None:
    """A token that no header may hold: the client's error tells it, ours does not."""
    given = {**environment(hub.endpoint, tmp_path, xet=False), "HF_TOKEN": f"{MARKER}\x01x"}
    command = [sys.executable, "-c", RAISING, str(make().folder), "acme/demo"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, encoding="utf-8", check=False)
    assert "no token has" in done.stdout
    assert MARKER not in done.stdout + done.stderr


def test_published_run_tells_no_place(hub: Emulator, glotmill: Client, tmp_path: Path, name: str) -> None:
    run = finished(tmp_path / "secret-user" / "first", {"eng_Latn": rows("eng_Latn", 2)})
    info = {**run.info(), **ABOUT}
    info |= {
        "seeds": str(tmp_path / "secret-user" / "seeds.jsonl"),
        "model": "/home/secret-user/models/Qwen3",
    }
    server = "http://gpu7.Corp.example:8000/v1"
    info |= {"engine": "openai", "engine_args": {"api_key": "(not kept)", "base_url": server}}
    info["recipe"] |= {**RECIPE, "name": "mine", "about": "Written at noon."}
    info["note"] = "sk-abcdefghijklmnop1234567890"
    run.write_info(info)
    (run.folder / "recipe").mkdir()
    seeds = tmp_path / "secret-user" / "data" / "seeds.jsonl"
    recipe = (
        f"about: x\nseeds: {seeds}\nmodel: /etc/hostname\nurl: https://example.org/a/b\nstop: /no_think\n"
    )
    (run.folder / "recipe" / "recipe.yaml").write_text(recipe)
    (run.folder / "recipe" / "draft.j2").write_text("What is /etc/hostname for?")
    (run.folder / "report.html").write_text("with rows that were dropped: for the user alone")
    (tmp_path / "secret-user" / "elsewhere").mkdir()
    (tmp_path / "secret-user" / "elsewhere" / "of.j2").write_text("Elsewhere.")
    (run.folder / "recipe" / "linked").symlink_to(tmp_path / "secret-user" / "elsewhere")
    (run.folder / "recipe" / "linked.j2").symlink_to("/etc/hostname")
    (run.folder / "recipe" / ".hidden").write_text("no")
    assert glotmill("publish", run.folder, "--repo", name).code == 0
    assert sum("/recipe/" in path for path in hub.repo(name).at("main").tree) == 2
    tree = [path for path in hub.repo(name).at("main").tree if not path.endswith(".parquet")]
    texts = {path.split("/", 2)[-1]: hub.content(name, path).decode() for path in tree}
    for path, text in texts.items():
        assert "secret-user" not in text, path
        assert str(tmp_path) not in text, path
        assert "sk-abc" not in text, path
        assert "gpu7" not in text.lower(), path
    assert json.loads(texts["run.json"])["model"] == "Qwen3"
    assert json.loads(texts["manifest.json"])["runs"][0]["model"] == "Qwen3"
    assert texts["recipe/recipe.yaml"] == (
        "about: x\nseeds: data/seeds.jsonl\nmodel: hostname\nurl: https://example.org/a/b\nstop: /no_think\n"
    )
    assert json.loads(texts["run.json"])["engine_args"]["base_url"] == "URL"
    assert "<title>" in texts["report.html"]
    assert "Sample of rows" not in texts["report.html"]
    assert "for the user alone" not in texts["report.html"]
    assert texts["recipe/draft.j2"] == "What is /etc/hostname for?"


@pytest.mark.parametrize("how", [(), ("--dry-run",), ("--json",)])
@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (MARKER, "has what looks like a secret, hf_M..."),
        ("gsk_abcdefghijklmnop1234", "has what looks like a secret, gsk_..."),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "has what looks like a secret, ----..."),
        ("correct horse battery", "has the value of MY_GATEWAY_KEY; take it out first"),
        ("not-a-usual-token", "has the value of the login to the Hub; take it out first"),
    ],
)
def test_secret_in_a_recipe(
    hub: Emulator, glotmill: Client, make: Make, secret: str, said: str, how: tuple[str, ...]
) -> None:
    run = make()
    file = run.folder / "recipe" / "parts" / "seeds.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff about: x\n" + secret.encode())
    done = glotmill("publish", run.folder, "--repo", "acme/none", *how, token="not-a-usual-token")
    assert done.code == 2
    assert f"recipe/parts/seeds.jsonl: {said}" in done.err
    assert secret not in done.err + done.out
    assert not hub.store.requests


def test_secret_in_a_row(hub: Emulator, glotmill: Client, make: Make, name: str) -> None:
    """A card shows a row; what a model made up is not told, a secret of this machine is refused."""
    made_up = "sk-abcdefghijklmnop1234567890"
    assert glotmill("publish", make(answer=f"Use {made_up}!").folder, "--repo", name).code == 0
    card = hub.content(name, "README.md").decode()
    assert "Use (not kept)!" in card
    done = glotmill(
        "publish",
        make("own", answer="correct horse battery").folder,
        "--repo",
        "acme/none",
    )
    assert (done.code, "README.md: has the value of MY_GATEWAY_KEY" in done.err) == (2, True)


def test_recipe_as_it_was_used(hub: Emulator, glotmill: Client, tmp_path: Path, name: str) -> None:
    """The files of a recipe go along as the run used them, whatever became of them since."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(
        "about: x\nlanguages: [eng_Latn]\nseeds: {rows: [{topic: tea}, {topic: rain}]}\n"
        "steps: [{generate: answer}]\noutput: {messages: {user: topic, assistant: answer}}\n"
    )
    (folder / "answer.j2").write_text("Say something about {{ topic }}.")
    (folder / ".secret").write_text("no")
    run = tmp_path / "run"
    ran = glotmill("run", folder, "-n", "2", "--engine", "echo", "--model", "echo", "-o", run)
    assert ran.code == 0, ran.err
    (glotmill.home / "mine").symlink_to(folder)
    first = glotmill("publish", run, "--repo", name, "--dry-run", "--json").plain
    paths = [file["path"].split("/", 2)[-1] for file in first["files"] if file["path"].startswith("runs/")]
    (folder / "answer.j2").write_text("Something else about {{ topic }}.")
    then = glotmill("publish", run, "--repo", name, "--dry-run", "--json").plain
    (glotmill.home / "mine").unlink()
    assert paths == ["recipe/answer.j2", "recipe/recipe.yaml", "report.html", "run.json"]
    kept = [file["path"].split("/", 2)[-1] for file in then["files"] if "runs/" in file["path"]]
    assert kept == paths, "the run has its own copy"
    assert (run / "recipe" / "answer.j2").read_text() == "Say something about {{ topic }}."


def test_nothing_published_has_a_path_or_a_token(
    hub: Emulator, glotmill: Client, make: Make, name: str
) -> None:
    """Not run.json, the recipe, the card or the report, wherever the run was made."""
    run = make()
    info = run.info()
    info["engine_args"] = {
        "lora": r"\\server\share\Jane\lora",
        "more": ["path=/nvme0/jane/x", "--tokenizer ~/jane/tok", "gho_abcdefghijklmnop1234"],
        "url": "https://jane:secret-word@example.org/v1?key=secret-word",
    }
    info["seeds"] = r"C:\Users\Jane Doe\seeds.jsonl"
    info["model"] = "file:///home/jane/model"
    detectors = ["fasttext:/home/jane/lid.bin", r"fasttext:D:\jane\lid.bin"]
    step = {"filter": "language", "of": "answer", "detectors": detectors}
    info["recipe"]["steps"] = [*info["recipe"]["steps"], step]
    run.write_info(info)
    (run.folder / "recipe").mkdir(exist_ok=True)
    (run.folder / "recipe" / "recipe.yaml").write_text(
        'about: x\nmodel: ~/jane/model\nescaped: "\\\\\\\\server\\\\share\\\\jane\\\\x"\n'
        "detectors: [fasttext:/home/jane/lid.bin, fasttext:/odd/jane/lid.bin]\n"
        "share: \\\\server\\share\\jane\\lid.bin\nwindows: 'C:\\Users\\Jane Doe\\x'\nfile: file:///jane/y\n"
    )
    done = glotmill("publish", run.folder, "--repo", name)
    assert done.code == 0, done.err
    for path in hub.repo(name).at("main").tree:
        if not path.endswith(".parquet"):
            text = hub.content(name, path).decode()
            text += "".join(_unpacked(text)) if path.endswith(".html") else ""
            for private in ("jane", "server\\", "gho_", "secret-word"):
                assert private not in text.lower(), (path, private)


def _unpacked(page: str) -> list[str]:
    """The texts that a report has in packed form."""
    packed = re.findall(r"H4sI[A-Za-z0-9+/=]+", page)
    assert len(packed) > 1
    return [gzip.decompress(b64decode(text)).decode() for text in packed]
