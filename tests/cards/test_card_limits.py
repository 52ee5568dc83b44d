"""What is known to be weak, and in which languages."""

from typing import Any

from glotmill.cards.card_limits import limits
from glotmill.recipe import Recipe
from glotmill.store import Run


def test_limits_of_languages(run: Run) -> None:
    judge = {"filter": "language", "options": {"policy": "group"}}
    row = {"wanted": 200, "asked": 1000, "kept": 200, "accepted": 200}
    funnel = [{**row, "language": tag} for tag in ("nob_Latn", "yor_Latn")]
    detected = {"answer": {"nob_Latn": {"nob_Latn": 199, "und": 1}, "yor_Latn": {"und": 150, "yor_Latn": 50}}}
    told: dict[str, Any] = {"funnel": funnel, "filters": [judge], "detected": detected}
    recipe = Recipe.model_validate(run.info()["recipe"])
    said = {of["said"]: of["tags"] for of in limits(recipe, told, [])}
    assert said["Too rare for the language detectors used: held to the script only"] == ["yor_Latn"]
    assert "nno_Latn" in said["No detector tells nob_Latn reliably from these, so rows may be in them"]
    assert any(text.startswith("Less than a quarter") for text in said)
    assert not any(text.startswith("Fewer") for text in said)
    assert not any("has no phrases" in text for text in said)
    funnel.append({**row, "language": "hau_Latn", "accepted": 150})
    few = {of["said"]: of["tags"] for of in limits(recipe, told, [])}
    assert few["Fewer rows than asked for"] == ["hau_Latn"]
    funnel.pop()
    told["filters"].append({"filter": "refusal", "options": {}})
    funnel.append({**row, "language": "nqo_Nkoo"})
    silent = [of["tags"] for of in limits(recipe, told, []) if "refusal has no phrases" in of["said"]]
    assert silent == [["nqo_Nkoo"]]
    funnel.pop()
    judge["options"] = {"policy": "strict"}
    assert not any("No detector tells" in of["said"] for of in limits(recipe, told, []))
