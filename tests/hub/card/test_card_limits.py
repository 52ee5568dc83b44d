"""What is known to be weak, and in which languages."""

from collections.abc import Sequence
from typing import Any

from empty_facts import filter_facts, run_facts

from glotmill.hub.card.run_section import known_limits
from glotmill.report.run_facts import FilterFacts
from glotmill.runner.funnel import Funnel

COUNTS = {
    "wanted": 200,
    "requests": 900,
    "seed_rows": 800,
    "rows": 800,
    "answered": 800,
    "parsed": 800,
    "kept": 200,
    "accepted": 200,
}
JUDGE = filter_facts("language", options={"policy": "group"})
ALIKE = filter_facts("duplicates")
EVERY = "The rows are written by a model: expect its mistakes, its style and its biases"


def sentence(
    *languages: Funnel,
    filters: Sequence[FilterFacts] = (ALIKE,),
    detected: dict[str, dict[str, int]] | None = None,
    templates: Sequence[dict[str, Any]] = (),
) -> dict[str, Sequence[str]]:
    """What is sentence -> of which languages, but for what is sentence always."""
    facts = run_facts(funnel=languages, filters=filters, detected={"answer": detected or {}})
    found = {of["sentence"]: of["tags"] for of in known_limits(facts.recipe, facts, templates)}
    assert found.pop(EVERY) == []
    found.pop("No filter compared the language of the rows with the requested one", None)
    return found


def made(tag: str, **counts: Any) -> Funnel:
    return Funnel(language=tag, **COUNTS | counts)


def test_nothing_more_to_say() -> None:
    assert sentence(made("fra_Latn")) == {}


def test_few_rows() -> None:
    found = sentence(
        made("fra_Latn"),
        made("hau_Latn", accepted=150),
        made("swh_Latn", kept=199),
        made("yor_Latn", accepted=0, kept=0),
        made("ibo_Latn", wanted=99, accepted=99),
    )
    assert found == {
        "No row was accepted": ["yor_Latn"],
        "Fewer rows than asked for": ["hau_Latn"],
        "Less than a quarter of the rows were kept; those that passed may not be representative": [
            "swh_Latn"
        ],
        "Fewer than 100 rows: enough to inspect, too few for training or evaluation": ["ibo_Latn"],
    }


def test_languages_that_no_detector_tells() -> None:
    unjudged = "Unknown to the language detectors used: only the script was checked"
    detected = {"nob_Latn": {"nob_Latn": 199, "und": 1}, "yor_Latn": {"und": 150, "yor_Latn": 50}}
    found = sentence(made("nob_Latn"), made("yor_Latn"), filters=[JUDGE, ALIKE], detected=detected)
    alike = "No detector reliably tells nob_Latn apart from these, so some rows may be in them"
    assert found.keys() == {unjudged, alike}
    assert found[unjudged] == ["yor_Latn"]
    assert "nno_Latn" in found[alike]
    assert "nob_Latn" not in found[alike]
    strict = filter_facts("language", options={"policy": "strict"})
    assert sentence(made("nob_Latn"), filters=[strict, ALIKE], detected=detected) == {}


def test_what_no_filter_looked_for() -> None:
    assert sentence(made("fra_Latn"), filters=[]) == {"No filter looked for duplicates": []}
    facts = run_facts(funnel=[made("fra_Latn")], filters=[ALIKE])
    compared = "No filter compared the language of the rows with the requested one"
    assert compared in {of["sentence"] for of in known_limits(facts.recipe, facts, [])}
    facts = run_facts(funnel=[made("fra_Latn")], filters=[ALIKE, JUDGE])
    assert compared not in {of["sentence"] for of in known_limits(facts.recipe, facts, [])}


def test_languages_of_which_a_filter_knows_no_phrase() -> None:
    for name in ("refusal", "assistant_speak", "placeholders"):
        found = sentence(made("fra_Latn"), made("nqo_Nkoo"), filters=[ALIKE, filter_facts(name)])
        assert found == {
            f"The filter {name} has no phrases in these languages, and finds only those in other languages": [
                "nqo_Nkoo"
            ]
        }


def test_templates_that_were_not_reviewed() -> None:
    read_by = {"file": "draft.j2", "languages": ["eng_Latn"], "unreviewed": False}
    other = {"file": "draft.fra.j2", "languages": ["fra_Latn"], "unreviewed": True}
    assert sentence(made("fra_Latn"), templates=[read_by, other]) == {
        "The template draft.fra.j2 has not been reviewed by a second native speaker": ["fra_Latn"]
    }
