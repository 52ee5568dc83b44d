"""The thresholds of each language, as a card tells them."""

from empty_facts import filter_facts, run_facts

from glotmill.hub.card.run_section import thresholds

SWAHILI = {"pycld2 phrase": 0.2, "pycld2 short": 0.3, "pycld2 sentence": 0.4, "pycld2 paragraph": 0.9}
FRENCH = {name.replace("pycld2", "py3langid"): least for name, least in SWAHILI.items()}


def test_a_line_for_each_detector_and_language() -> None:
    limits = {"swh_Latn": SWAHILI, "fra_Latn": {**SWAHILI, **FRENCH}}
    filters = [
        filter_facts("language", limits=limits),
        filter_facts("gopher_quality", limits={"swh_Latn": {"letters": 0.5}}),
        filter_facts("language"),
    ]
    found = thresholds(run_facts(filters=filters))
    assert [(of["language"], of["detector"]) for of in found] == [
        ("swh_Latn", "pycld2"),
        ("fra_Latn", "pycld2"),
        ("fra_Latn", "py3langid"),
    ]
    assert {tuple(of["least"]) for of in found} == {(0.2, 0.3, 0.4, 0.9)}


def test_none_where_none_judged() -> None:
    assert thresholds(run_facts(filters=[filter_facts("length")])) == []
