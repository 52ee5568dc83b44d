"""Filters on any dataset: `glotmill filter`."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from filtering import FRENCH, funnel, jsonl, run_filter

from glotmill.cli import main


def test_every_row_is_kept_or_has_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": "x" * n, "tongue": "fr" if n % 2 else "sw", "meta": {"n": n}} for n in range(6)]
    source = jsonl(tmp_path / "data.jsonl", *rows)
    kept, lost = run_filter(source, tmp_path / "out", "--filters", "length", "--set", "length.min_chars=3")
    assert kept.columns == ["id", "text", "tongue", "meta"]
    assert kept["id"].to_list() == [3, 4, 5]
    assert kept.drop("id").to_dicts() == rows[3:]
    assert lost.select("id", "reason", "reason_at").rows() == [
        (n, "too_short", "text.length") for n in range(3)
    ]
    assert funnel(tmp_path / "out") == [{"language": "", "rows": 6, "kept": 3, "dropped": {"too_short": 3}}]
    told = capsys.readouterr()
    assert "3 too_short" in told.out
    assert told.err == ""


def test_languages_in_any_form(tmp_path: Path) -> None:
    names = ["fr", "fra_Latn", "French", None, "Klingonese", 5, "", "ru"]
    source = jsonl(
        tmp_path / "data.jsonl", *({"id": f"r{n}", "text": FRENCH, "lang": x} for n, x in enumerate(names))
    )
    kept, lost = run_filter(source, tmp_path / "out", "--filters", "script", "--language-column", "lang")
    assert kept["id"].to_list() == ["r0", "r1", "r2"]
    assert kept["lang"].to_list() == names[:3]
    assert lost["reason"].to_list() == ["unknown_language"] * 4 + ["wrong_script"]
    assert lost["reason_at"].to_list() == ["lang"] * 4 + ["text.script"]
    assert [(f["language"], f["rows"], f["kept"]) for f in funnel(tmp_path / "out")] == [
        ("fra_Latn", 3, 3),
        ("rus_Cyrl", 1, 0),
        ("unknown", 4, 0),
    ]
    _, lost = run_filter(source, tmp_path / "one", "--filters", "script", "--language", "Russian")
    assert lost["reason"].to_list() == ["wrong_script"] * 7 + ["wrong_script"]


def test_a_language_that_cannot_be_judged_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = jsonl(tmp_path / "data.jsonl", {"text": "Mienendo ya ŋutu ƒe nya.", "lang": "ewe_Latn"})
    options = ("--filters", "language", "--set", 'language.detectors=["py3langid"]')
    assert (
        run_filter(source, tmp_path / "out", *options, "--language-column", "lang")[1]["reason"].item()
        == "no_detector"
    )
    assert "No detector knows ewe_Latn" in capsys.readouterr().out
    assert main(["filter", str(source), "-o", "out2", *options, "--language", "ewe"]) == 2
    assert "does not know ewe_Latn" in capsys.readouterr().err
    more = ("--set", "language.unjudged=keep", "--language", "ewe")
    assert run_filter(source, tmp_path / "out3", *options, *more)[0].height == 1


def test_rows_that_say_too_little_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": "Oui."}, {"text": "Elle a vendu sa maison au bord de la mer l'année dernière."}]
    kept, _ = run_filter(
        jsonl(tmp_path / "d.jsonl", *rows), tmp_path / "out", "--filters", "language", "-l", "fra"
    )
    assert kept["text_language_detected"].to_list() == ["und", "fra_Latn"]
    assert "Rows too short to detect their language (`und`): 1." in capsys.readouterr().out


def test_an_unnamed_language_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = jsonl(tmp_path / "d.jsonl", {"text": "Elle a vendu sa maison.", "lang": "fra"})
    run_filter(source, tmp_path / "out", "--filters", "length")
    assert "No --language or --language-column was given" in capsys.readouterr().out
    run_filter(source, tmp_path / "out2", "--filters", "length", "--language-column", "lang")
    assert "No language is named" not in capsys.readouterr().out


def test_thresholds_of_ones_own_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = jsonl(tmp_path / "d.jsonl", {"text": "Hun bor i et lite hus ved sjøen"})  # py3langid: 0.8
    table = tmp_path / "strict.csv"
    lines = [f"py3langid,{version('py3langid')},nob_Latn,{length},0.9" for length in ("phrase", "short")]
    table.write_text("\n".join(["detector,version,language,length,min_score", *lines]))
    asked = ("--filters", "language", "-l", "nob", "--set", 'language.detectors=["py3langid"]')
    assert run_filter(source, tmp_path / "usual", *asked)[0].height == 1
    own = (*asked, "--set", f"language.min_score={table}")
    assert run_filter(source, tmp_path / "strict", *own)[1]["reason"].to_list() == ["wrong_language"]
    table.write_text("not a table")
    assert main(["filter", str(source), "-o", str(tmp_path / "strict"), *own]) == 2, (
        "another table, other work"
    )
    assert "begun with other filters" in capsys.readouterr().err


def test_of_messages_the_assistant_is_judged(tmp_path: Path) -> None:
    def chat(user: str, *replies: str | None) -> list[dict[str, str | None]]:
        return [{"role": "user", "content": user}, *({"role": "assistant", "content": r} for r in replies)]

    chats = [chat("a long question", "ok"), chat("q", "a long answer"), chat("q", "long", "enough"), None, []]
    pl.DataFrame({"messages": chats}).write_parquet(tmp_path / "chats.parquet")
    kept, lost = run_filter(
        tmp_path / "chats.parquet", tmp_path / "out", "--filters", "length", "--set", "length.min_chars=9"
    )
    assert kept["id"].to_list() == [1, 2]
    assert kept["messages"].to_list() == chats[1:3]
    assert lost["reason"].to_list() == ["too_short", "empty", "too_short"]
    (tmp_path / "filters.yaml").write_text(
        "- {filter: length, of: messages_user, min_chars: 9}\n- filter: length\n"
    )
    kept, lost = run_filter(
        tmp_path / "chats.parquet", tmp_path / "users", "--filters", str(tmp_path / "filters.yaml")
    )
    assert kept["id"].to_list() == [0]
    assert lost["reason_at"].to_list() == ["messages_user.length"] * 4
    shared = [[{"from": "human", "value": "q"}, {"from": "gpt", "value": "an answer"}]]
    pl.DataFrame({"conversations": shared}).write_parquet(tmp_path / "shared.parquet")
    options = ("--filters", "length", "--column", "conversations", "--set", "length.max_chars=9")
    assert run_filter(tmp_path / "shared.parquet", tmp_path / "gpt", *options)[0].height == 1


@pytest.mark.usefixtures("small")
def test_the_first_of_equal_rows_wins_over_the_whole_input(tmp_path: Path) -> None:
    rows = [{"text": f"text {n % 10}", "good": int(n >= 3)} for n in range(30)]
    source = jsonl(tmp_path / "data.jsonl", *rows)
    (tmp_path / "f.json").write_text(
        '[{"filter": "duplicates", "within": ""}, {"filter": "at_least", "of": "good", "value": 1}]'
    )
    kept, lost = run_filter(source, tmp_path / "out", "--filters", "f.json")
    assert kept["id"].to_list() == list(range(3, 13))  # what another filter drops shadows nothing
    assert lost.filter(reason="duplicate")["text_duplicates_first"].to_list() == [
        str(3 + (n - 3) % 10) for n in range(13, 30)
    ]
    assert len(list((tmp_path / "out" / "kept").iterdir())) == 4  # of three tables of three rows
    assert not (tmp_path / "out" / "state").exists()


def test_the_language_alone_may_be_judged(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "data.jsonl", *({"lang": lang} for lang in ("fr", "sw", "fra", "French")))
    options = ["--column", "language", "--filters", "balance", "--set", "balance.most=2"]
    kept, rejects = run_filter(source, tmp_path / "out", "--language-column", "lang", *options)
    assert kept["lang"].to_list() == ["fr", "sw", "fra"]
    assert rejects["reason"].to_list() == ["over_cap"]


@pytest.mark.parametrize("language", [["-l", "fra"], ["--language-column", "language"]])
def test_earlier_rows_are_seen_as_those_of_the_input(tmp_path: Path, language: list[str]) -> None:
    def chat(text: str, language: str) -> dict[str, Any]:
        said = [{"role": "user", "content": f"Say {text}"}, {"role": "assistant", "content": text}]
        return {"messages": said, "language": language}

    jsonl(tmp_path / "old.jsonl", chat("Un.", "French"), chat("Deux.", "sw"))
    source = jsonl(tmp_path / "data.jsonl", chat("un", "fr"), chat("deux", "fr"), chat("trois", "fr"))
    options = [*language, "--filters", "duplicates", "--set", "duplicates.against=old.jsonl"]
    _, rejects = run_filter(source, tmp_path / "out", *options)
    assert rejects["id"].to_list() == [0]
