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

from glotmill.errors import UsageError
from glotmill.io.redact import hide_secrets, is_path, privacy, public, without_secrets
from glotmill.runner.folder import Run

Make = Callable[..., Run]
MARKER = "hf_MARKERmarkerMARKERmarker123456"
RAISING = """
import sys, traceback
from pathlib import Path
from glotmill.hub.client import open_hub
from glotmill.hub.publish import publish
from glotmill.hub.release import PublishOptions
from glotmill.runner.folder import Run
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
    assert "Rows to look at" not in texts["report.html"]
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


@pytest.mark.parametrize(
    ("server", "text", "expected"),
    [
        ("http://ai:8000/v1", "AI by http://ai:8000/v1, at AI:8000.", "AI by URL, at HOST."),
        (
            "https://llm.example.org/v1?team=9",
            "llm.example.org, my-llm.example.org",
            "HOST, my-llm.example.org",
        ),
        ("http://10.0.0.5:8000", "10.0.0.5:8000 110.0.0.5", "HOST:8000 110.0.0.5"),
        ("https://huggingface.co/api/v1", "https://huggingface.co/Qwen", "https://huggingface.co/Qwen"),
        ("http://[::1", "http://[::1", "URL"),
        (
            "http://localhost:8000/v1",
            "at http://localhost:8000/v1; open localhost:8000",
            "at URL; open localhost:8000",
        ),
        ("http://127.0.0.1:8000", "ping 127.0.0.1", "ping 127.0.0.1"),
    ],
)
def test_servers(tmp_path: Path, server: str, text: str, expected: str) -> None:
    kept_back = privacy(tmp_path, {"more": [server]}, None)
    assert kept_back.redact(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/data/models/Qwen3/", "Qwen3"),
        ("/home/Jane Doe/my models/Qwen3", "Qwen3"),
        ("~/models/Qwen3", "Qwen3"),
        ("~jane/models/Qwen3", "Qwen3"),
        (r"~\models\Qwen3", "Qwen3"),
        (r"C:\models\Qwen3", "Qwen3"),
        (r"C:\Users\Jane Doe\Qwen3", "Qwen3"),
        ("D:/models/Qwen3", "Qwen3"),
        (r"\\server\share\Jane Doe\x.bin", "x.bin"),
        ("file:///data/x.jsonl", "x.jsonl"),
        ("fasttext:/home/me/lid.bin", "fasttext:lid.bin"),
        ("fasttext:/odd/place/lid.bin", "fasttext:lid.bin"),
        ("fasttext:~/lid.bin", "fasttext:lid.bin"),
        (r"fasttext:C:\Users\me\lid.bin", "fasttext:lid.bin"),
        (r"fasttext:\\server\share\lid.bin", "fasttext:lid.bin"),
        ("path=/srv/a/b,other=/odd/c", "path=b,other=c"),
        ("--chat-template /scratch/me/chat.j2 --seed 3", "--chat-template chat.j2 --seed 3"),
        ('{"config": "/mnt/team/x.json"}', '{"config": "x.json"}'),
        (r"see C:\Users\Jane Doe\notes.txt and \\nas\team\lid.bin", "see notes.txt and lid.bin"),
        ("file:///home/me/a.txt, ~/b/c.txt, $HOME/d.txt", "a.txt, c.txt, d.txt"),
        ("/no_think", "/no_think"),
        ("~100 words / reply", "~100 words / reply"),
        ("/think or /no_think", "/think or /no_think"),
        ("km/h and/or 3/4", "km/h and/or 3/4"),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("fasttext:cis-lmu/glotlid@v3", "fasttext:cis-lmu/glotlid@v3"),
        ("hf://datasets/acme/seeds/home/x.parquet", "hf://datasets/acme/seeds/home/x.parquet"),
        ("https://example.org/home/a/b", "https://example.org/home/a/b"),
        ("https://jane:pw@example.org/a", "https://example.org/a"),
        ("http://x.org/v1?api-version=3&key=abc&q=1", "http://x.org/v1?api-version=3&key=(not kept)&q=1"),
        (r"\\d\\w and \(x\) and \\boxed", r"\\d\\w and \(x\) and \\boxed"),
        ("a: / b, C: yes", "a: / b, C: yes"),
    ],
)
def test_public_values(tmp_path: Path, value: str, expected: str) -> None:
    assert public([{"name": value}]) == [{"name": expected}]
    assert privacy(tmp_path / "run", {}, None).redact_value({"name": [value]}) == {"name": [expected]}


@pytest.mark.parametrize(
    "secret",
    [
        "hf_abcdefghijklmnopqrst",
        "sk-ant-api03-abcdefghijklmnop",
        "sk-proj-abcdefghijklmnop1234",
        "gsk_abcdefghijklmnop1234",
        *(f"gh{kind}_abcdefghijklmnop1234" for kind in "oprsu"),
        "github_pat_abcdefghijklmnop1234",
        "glpat-abcdefghijklmnop1234",
        "nvapi-abcdefghijklmnop1234",
        "xoxb-1234567890-abcdefghij",
        "xai-abcdefghijklmnop1234",
        "AKIAABCDEFGHIJKLMNOP",
        "AIzaabcdefghijklmnop1234",
        "npm_abcdefghijklmnop1234",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def",
        "Bearer abcdefghijklmnop1234",
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_tokens_of_all_kinds(tmp_path: Path, secret: str) -> None:
    assert public({"more": [f"use {secret}, please"]}) == {"more": ["use (not kept), please"]}
    assert without_secrets({"more": [secret]}) == {"more": ["(not kept)"]}
    assert hide_secrets(f"401: {secret} is bad") == "401: (not kept) is bad"
    with pytest.raises(UsageError, match=r"recipe.yaml: has what looks like a secret"):
        privacy(tmp_path, {}, None).refuse("recipe.yaml", f"about: {secret}")


def test_options_of_a_run_folder() -> None:
    options = {
        "api_key": "x",
        "max_tokens": 3,
        "base_url": "https://me:pw@host/v1",
        "path": "/data/x",
        "f": print,
    }
    assert without_secrets(options) == {
        "api_key": "(not kept)",
        "max_tokens": 3,
        "base_url": "https://host/v1",
        "path": "/data/x",
        "f": "(builtin_function_or_method)",
    }


def test_paths_of_this_machine(tmp_path: Path) -> None:
    kept_back = privacy(tmp_path / "run", {}, None)
    text = f"in {tmp_path}/run, of /etc/hostname; /no/such/place"
    assert kept_back.redact_paths(text) == "in run, of hostname; /no/such/place"
    assert kept_back.without_folders(f"{tmp_path}-2/run") == f"{tmp_path}-2/run"
    assert is_path("/data/models/Qwen3")
    assert not is_path("Qwen/Qwen3-8B")


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
