"""mt-lines, as anything reads it that reads lines."""

from pathlib import Path

import pytest
from finished import SAID, finished, rows

from glotmill.errors import UsageError
from glotmill.export.export import export

SIDES = {"source": "question", "target": "answer"}


def test_two_files_a_language(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {tag: rows(tag, 40) for tag in (*SAID, "zho_Hant")})
    found = export(made, tmp_path / "out", "mt-lines", split="train=0.8,test=0.2", options=SIDES)
    codes = {"arb_Arab": "ar", "hin_Deva": "hi", "zho_Hans": "zh", "zho_Hant": "zh-Hant"}
    assert found.files == sorted(
        f"{tag}/{split}.en-{code}.{side}"
        for tag, code in codes.items()
        for split in ("train", "test")
        for side in ("en", code)
    )
    for split in ("train", "test"):
        one, two = (
            (tmp_path / "out" / "zho_Hans" / f"{split}.en-zh.{code}").read_text("utf-8").splitlines()
            for code in ("en", "zh")
        )
        assert len(one) == len(two) == found.rows["zho_Hans"][split] > 0
        for source, target in zip(one, two, strict=True):
            number = source.rpartition(" ")[2]
            assert (source, target) == (f"为什么下雨？ {number}", f"因为云变冷了。 然后下雨。 {number}")


def test_as_many_lines_whatever_the_texts_hold(tmp_path: Path) -> None:
    breaks = ["\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r"]
    texts = [f"a{sign}b{sign}" for sign in breaks] + ["", " \n", None, "a" * 1_000_000]
    said = rows("swh_Latn", len(texts), answer=lambda n: texts[n])
    export(finished(tmp_path / "run", {"swh_Latn": said}), tmp_path / "out", "mt-lines", options=SIDES)
    one, two = ((tmp_path / "out/swh_Latn" / f"train.en-sw.{code}").read_bytes() for code in ("en", "sw"))
    assert one.count(b"\n") == two.count(b"\n") == len(breaks) + 1
    assert len(two.decode().splitlines()) == len(breaks) + 1
    assert two.decode().splitlines()[:-1] == ["a b "] * len(breaks)


def test_the_source_alone(tmp_path: Path) -> None:
    made = finished(tmp_path / "run", {"eng_Latn": rows("eng_Latn", 3)})
    with pytest.raises(UsageError, match=r"mt-lines: no row of .*; both texts are needed, in two languages"):
        export(made, tmp_path / "out", "mt-lines", options=SIDES)
