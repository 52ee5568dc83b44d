"""Paths, secrets and servers are recognised in values and texts; everything else stays."""

from pathlib import Path

import pytest

from glotmill.errors import UsageError
from glotmill.io.redact import hide_secrets, is_path, privacy, public, without_secrets


@pytest.mark.parametrize(
    ("server", "text", "expected"),
    [
        ("http://ai:8000/v1", "AI by http://ai:8000/v1, at AI:8000.", "AI by URL, at HOST."),
        (
            "https://llm.example.org/v1?team=9",
            "llm.example.org, my-llm.example.org",
            "HOST, my-llm.example.org",
        ),
        ("http://n1.lab.org/v1, http://n2.lab.org/v1", "n1.lab.org and n2.lab.org", "HOST and HOST"),
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


def test_value_of_a_secret_variable_is_hidden_under_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "Zebra-1234567890")
    assert without_secrets({"note": "with Zebra-1234567890", "file": "a.txt"}) == {
        "note": "with (not kept)",
        "file": "a.txt",
    }
