"""The thresholds of each language, of the detectors that a run had."""

from glotmill.cards.card_thresholds import USUAL_STACK, thresholds
from glotmill.filters import language
from glotmill.filters.thresholds import LENGTHS, clamped, threshold

INFO = {"languages": ["swh_Latn", "nqo_Nkoo"], "versions": {"pycld2": "0.42", "py3langid": "0.4.0"}}


def judge(**options: object) -> dict[str, object]:
    return {"filters": [{"filter": "language", "options": {"min_score": None, "policy": "group", **options}}]}


def test_they_are_those_that_judged() -> None:
    found = thresholds(INFO, judge())
    assert [(of["language"], of["detector"]) for of in found] == [
        ("swh_Latn", "pycld2"),
        ("swh_Latn", "py3langid"),
    ]
    for of in found:
        at = [threshold(of["detector"], "swh_Latn", least) for least in LENGTHS.values()]
        assert of["least"] == at
        assert at == [clamped(least) for least in at]


def test_none_where_they_did_not_judge() -> None:
    assert thresholds(INFO, judge(min_score=0.4)) == []
    assert thresholds(INFO, judge(policy="script")) == []
    assert thresholds(INFO, {"filters": [{"filter": "length", "options": {}}]}) == []
    assert thresholds({**INFO, "versions": {"pycld2": "0.41"}}, judge()) == []
    assert {of["detector"] for of in thresholds(INFO, judge(detectors=["py3langid"]))} == {"py3langid"}


def test_the_usual_detectors() -> None:
    assert USUAL_STACK == language._DEFAULT
