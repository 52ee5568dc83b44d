"""Tokens of a vocabulary, told apart by the scripts of their letters."""

import pytest

from glotmill.errors import RequestFailed
from glotmill.generators._shared.scripts import allowed_ids

TOKENS = ["", " the", "नम", " 12", "।", "\ufffd", "привет", "漢", "かな", "한", "नa", "é", "ﷲ", "⠁", "ʰ"]


def kept(*scripts: str) -> list[str]:
    return [TOKENS[i] for i in allowed_ids(TOKENS, scripts)]


def test_letters_of_other_scripts_are_out_and_all_else_stays() -> None:
    free = ["", " 12", "।", "\ufffd"]
    assert kept("Deva") == [*free[:1], "नम", *free[1:], "⠁"]
    assert "привет" in kept("Cyrl", "Latn")
    assert "é" in kept("Cyrl", "Latn")
    assert "漢" not in kept("Cyrl", "Latn")


def test_codes_that_stand_for_several_scripts() -> None:
    assert {"漢", "かな"} <= set(kept("Jpan"))
    assert "한" not in kept("Jpan")
    assert {"漢", "한"} <= set(kept("Kore"))
    assert "漢" in kept("Hans")


@pytest.mark.parametrize("script", ["Zzzq", "latin", "}]|.*[", ""])
def test_what_is_no_script_is_refused(script: str) -> None:
    with pytest.raises(RequestFailed, match="allowed_scripts"):
        allowed_ids(TOKENS, (script,))
