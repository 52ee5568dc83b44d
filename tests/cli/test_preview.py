"""What can be seen before a run: problems of every language, messages, a few real rows."""

import json
from pathlib import Path

import pytest
from commands import ECHO

from glotmill.cli import main


def test_check_says_ok_for_each_language(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(recipe)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "eng_Latn: ok", "arb_Arab: ok", "swh_Latn: ok", "hin_Deva: ok"
    ]  # fmt: skip
    assert main(["check", str(recipe), "-l", "fra,German", "-l", "zh-Hant", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["language"] for each in found["languages"]] == ["fra_Latn", "deu_Latn", "zho_Hant"]


def test_check_finds_the_problems_of_all_languages(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (recipe / "question.swh.j2").write_text("{{ word.nothing.there }} {{ number }}")
    assert main(["check", str(recipe), "-l", "eng,Klingonese,arb,swh"]) == 2
    out, err = capsys.readouterr()
    assert out.splitlines() == ["eng_Latn: ok", "arb_Arab: ok"], err
    assert "Klingonese" in err
    assert "swh_Latn: the first seed row cannot be rendered: question.swh.j2" in err
    assert "nothing" in err


def test_check_tells_one_problem_of_all_languages_once(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (recipe / "answer.j2").write_text("{{ questoin }}")
    assert main(["check", str(recipe), "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.count("did you mean 'question'") == 1
    found = json.loads(out)
    assert found["ok"] is False
    assert all("questoin" in each["problem"] for each in found["languages"])


def test_check_knows_a_language_without_seeds(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"word": "sun", "number": 4, "language": "fra"}\n')
    assert main(["check", str(recipe), "-l", "fra,eng", "--seeds", str(seeds)]) == 2
    out, err = capsys.readouterr()
    assert out == "fra_Latn: ok\n"
    assert "eng_Latn: " in err
    assert "no seed row for this language" in err


def test_check_takes_settings(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(recipe), "--set", "steps.at_least.vlaue=2"]) == 2
    assert "no option 'vlaue'; did you mean 'value'?" in capsys.readouterr().err


def test_preview_renders_messages_without_a_model(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["preview", str(recipe), "-l", "swh", "--rows", "2", "--set", "steps.question.n=3", "--json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["languages"] == ["swh_Latn"]
    assert len(found["rows"]) == 2
    for row in found["rows"]:
        assert row["language"] == "swh_Latn"
        seed = row["seed"]
        assert row["asked"] == [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": f"{seed['word']} {seed['number']} in Kiswahili?"},
        ]
    assert main(["preview", str(recipe)]) == 0
    out, err = capsys.readouterr()
    assert out.count("Be short.") == 3
    assert "Later steps need replies: answer." in err


def test_preview_takes_several_languages(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for engine in ([], ECHO):
        arguments = ["preview", str(recipe), "-l", "swh,Hindi", "-l", "eng,sw", "--rows", "2", *engine]
        assert main(arguments) == 0
        titles = [line for line in capsys.readouterr().out.splitlines() if line.startswith("row ")]
        assert [title.split()[2].rstrip(",") for title in titles] == [
            *["swh_Latn"] * 2, *["hin_Deva"] * 2, *["eng_Latn"] * 2
        ]  # fmt: skip
    assert main(["preview", str(recipe), "--language", "fra", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["languages"] == ["fra_Latn"]


def test_preview_says_why_a_row_cannot_be_rendered(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (recipe / "question.j2").write_text("{{ word.nothing }} {{ number }}")
    assert main(["preview", str(recipe), "--rows", "1"]) == 0
    assert "failed: template_error (question)\n  question.j2: " in capsys.readouterr().out


def test_preview_with_an_engine_shows_replies_and_verdicts(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"word": "sun", "number": 2}\n{"word": "rain", "number": 5}\n')
    assert main(["preview", str(recipe), "--seeds", str(seeds), *ECHO, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["rows"]
    assert (first["verdict"], first["reason_at"]) == ("dropped", "number.at_least")
    assert (second["verdict"], second["columns"]["answer"]) == ("kept", "rain 5 in English?")
    assert main(["preview", str(recipe), "--seeds", str(seeds), *ECHO]) == 0
    assert "row 2, eng_Latn (English), kept" in capsys.readouterr().out
    assert not (tmp_path / "runs").exists()
