"""`glotmill publish` as a user types it, in a process of its own, with the Hub's real clients."""

import subprocess
from pathlib import Path

from commands import command
from finished import finished, rows
from hub.client import ABOUT, RECIPE, environment
from hub.emulator import Emulator


def run_publish(
    hub: Emulator, home: Path, *arguments: object, token: str = "hf_write"
) -> "subprocess.CompletedProcess[str]":
    variables = {**environment(hub.endpoint, home, xet=False), "HF_TOKEN": token}
    return subprocess.run(
        command("publish", *arguments),
        env=variables,
        cwd=home,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_from_run_to_dataset(tmp_path: Path) -> None:
    run = finished(tmp_path / "tea", {tag: rows(tag, 3) for tag in ("arb_Arab", "zho_Hans")})
    info = run.info()
    run.write_info({**info, **ABOUT, "recipe": {**RECIPE, **info["recipe"]}})
    with Emulator() as hub:
        dry = run_publish(hub, tmp_path, "tea", "--repo", "acme/tea", "--dry-run")
        assert (dry.returncode, dry.stderr) == (0, "")
        assert "it would be created" in dry.stdout
        assert 'config_name: "zho_Hans"' in dry.stdout.replace("'", '"')
        assert not hub.store.repos
        process = run_publish(
            hub, tmp_path, "tea", "--repo", "acme/tea", "--tag", "v1", "--license", "cc-by-4.0"
        )
        assert process.returncode == 0, process.stderr
        assert f"{hub.endpoint}/datasets/acme/tea: 6 files" in process.stdout
        assert "Verified: all 3 configs load from the Hub with these rows" in process.stdout
        assert 'load_dataset("acme/tea", "arb_Arab", revision="v1")' in process.stdout
        assert process.stderr.splitlines() == [
            f"glotmill: sending 2 files of rows, {_size(hub)}, to acme/tea",
            "glotmill: loading 3 configs of acme/tea into an empty cache",
        ]
        refused = run_publish(hub, tmp_path, "tea", "--repo", "acme/other", token="hf_read")
        assert refused.returncode == 4
        assert refused.stderr.startswith("glotmill: creating acme/other: 403")
        assert len(refused.stderr.splitlines()) == 1


def _size(hub: Emulator) -> str:
    tree = hub.repo("acme/tea").at("v1").tree
    return f"{sum(entry.size for path, entry in tree.items() if path.startswith('data/')) / 1000:.1f} kB"


def test_offline(tmp_path: Path) -> None:
    finished(tmp_path / "tea", {"zho_Hans": rows("zho_Hans", 1)})
    variables = {
        **environment("http://127.0.0.1:9", tmp_path, xet=False),
        "HF_HUB_OFFLINE": "1",
        "HF_TOKEN": "x",
    }
    process = subprocess.run(
        command("publish", "tea", "--repo", "acme/tea"),
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert "HF_HUB_OFFLINE is set" in process.stderr
