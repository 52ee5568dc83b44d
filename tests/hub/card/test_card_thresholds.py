"""The thresholds of each language, as a card tells them."""

from glotmill.hub.card.run_section import thresholds

SWAHILI = {"pycld2 phrase": 0.2, "pycld2 short": 0.3, "pycld2 sentence": 0.4, "pycld2 paragraph": 0.9}
FRENCH = {name.replace("pycld2", "py3langid"): least for name, least in SWAHILI.items()}


def test_a_line_for_each_detector_and_language() -> None:
    judged = {"filter": "language", "by_language": {"swh_Latn": SWAHILI, "fra_Latn": {**SWAHILI, **FRENCH}}}
    other = {"filter": "gopher_quality", "by_language": {"swh_Latn": {"letters": 0.5}}}
    found = thresholds({"filters": [judged, other, {"filter": "language", "by_language": {}}]})
    assert [(of["language"], of["detector"]) for of in found] == [
        ("swh_Latn", "pycld2"),
        ("fra_Latn", "pycld2"),
        ("fra_Latn", "py3langid"),
    ]
    assert {tuple(of["least"]) for of in found} == {(0.2, 0.3, 0.4, 0.9)}


def test_none_where_none_judged() -> None:
    assert thresholds({"filters": [{"filter": "length", "by_language": {}}]}) == []
