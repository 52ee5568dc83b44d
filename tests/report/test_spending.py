"""What the requests of a run took."""

import json
from pathlib import Path

import pytest

from glotmill.errors import UsageError
from glotmill.recipes.recipe import Recipe
from glotmill.report.spending import Price, Prices, spending
from glotmill.runner.run_folder import Run

RECIPE = Recipe.model_validate(
    {
        "about": "an answer and its judge",
        "seeds": "seeds.jsonl",
        "models": {"judge": {}},
        "steps": [{"generate": "answer"}, {"generate": "points", "model": "judge"}],
    }
)


def costs(folder: Path, price_in: Price, price_out: Price) -> dict[str, float | None]:
    (folder / "replies").mkdir(exist_ok=True)
    lines = [
        {"step": "answer", "prompt_tokens": 100, "completion_tokens": 10},
        {"step": "points", "model": "judge", "prompt_tokens": 1_000, "completion_tokens": 1},
    ]
    (folder / "replies" / "eng_Latn-00000.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    spent = spending(Run(folder), RECIPE, Prices(price_in, price_out))
    return {name: step.cost and round(step.cost * 1e6) for name, step in spent.items()}


def test_each_model_has_its_price(tmp_path: Path) -> None:
    assert costs(tmp_path, 1.0, 2.0) == {"answer": 120, "points": 1_002}
    assert costs(tmp_path, {"": 1.0, "judge": 3.0}, 2.0) == {"answer": 120, "points": 3_002}
    assert costs(tmp_path, {"judge": 3.0}, None) == {"answer": None, "points": 3_000}


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -1.0])
def test_each_price_is_a_number_from_0_up(price: float) -> None:
    with pytest.raises(UsageError, match="not a price"):
        Prices({"": 1.0, "judge": price})
