"""A card that is there already: what people wrote is kept, and what is said of other runs."""

import dataclasses
import re
from pathlib import Path

import pytest
from carded import RECIPE, front, made, published

from glotmill.hub.card.card import card, validate
from glotmill.hub.card.validate import split
from glotmill.runner.run_folder import Run

PART = re.compile(r"^<!-- glotmill:run \w+.*?^<!-- glotmill:run end -->$", re.DOTALL | re.MULTILINE)


def test_what_people_wrote_is_kept(run: Run) -> None:
    first = card(run, repo="org/name", license="mit")
    theirs = first.replace(
        "\n---\n\n", "\npretty_name: 'Ours'  # so it is\nnews: 12:30\nviewer: false\n---\n\nHello.\n\n", 1
    )
    theirs = theirs.replace("- synthetic\n", "- synthetic\n- mine\n") + "\n## Thanks\n\nTo all.\n"
    theirs = theirs.replace("# name", "# vandalised").replace("'all'", "'some'")
    found = card(run, repo="org/name", existing=theirs)
    assert validate(found) == []
    body = split(found)[1]
    assert body.startswith("\nHello.\n\n<!-- glotmill:begin")
    assert body.endswith("<!-- glotmill:end -->\n\n## Thanks\n\nTo all.\n")
    assert "vandalised" not in found
    assert "\npretty_name: 'Ours'  # so it is\nnews: 12:30\nviewer: false\n---\n" in found
    assert "# Ours" in body
    assert front(found)["tags"][-1] == "mine"
    assert front(found)["license"] == "mit"
    defaults = [c["config_name"] for c in front(found)["configs"] if c.get("default")]
    assert defaults == ["all"]
    assert card(run, repo="org/name", existing=found) == found


@pytest.mark.parametrize(
    "body",
    ["# A dataset\n\nBy hand.", "<!-- glotmill:begin x -->\nBy hand.", "By hand.\n<!-- glotmill:end -->\n"],
)
def test_a_card_without_our_part_is_kept_whole(run: Run, body: str) -> None:
    found = card(run, existing=f"---\nlanguage: [no]\ndataset_info: {{features: []}}\n---\n{body}")
    assert "By hand.\n\n<!-- glotmill:begin" in found
    assert validate(found) == []
    assert card(run, existing=found) == found
    assert card(run, existing=body).endswith(split(found)[1].strip("\n") + "\n")


def test_an_appended_run_keeps_what_is_said_of_the_first(run: Run, tmp_path: Path) -> None:
    other = made(tmp_path, languages=["arb", "fra"], per_language=2)
    first = published(run, "0123456789ab")
    before = card(run, repo="org/name", license="mit", files=first)
    files = [*first, *published(other, "ba9876543210")]
    both = card(other, repo="org/name", existing=before, files=files)
    assert validate(both) == []
    assert re.findall(r"^<!-- glotmill:run (\w+) toy\b", both, re.MULTILINE) == [
        "0123456789ab",
        "ba9876543210",
    ]
    assert "made in 2 runs" in both
    counts = {i["config_name"]: i["splits"][0]["num_examples"] for i in front(both)["dataset_info"]}
    assert counts == {"all": 16, "arb_Arab": 5, "fra_Latn": 2, "nob_Latn": 3, "yor_Latn": 3, "zho_Hant": 3}
    assert re.search(r"\| Arabic \(العربية\) \| `arb_Arab` \| 5 \| [\d,]+ \|\n", both)
    assert card(other, repo="org/name", existing=both, files=files) == both
    section = before[before.index("<!-- glotmill:run") : before.index("<!-- glotmill:run end")]
    assert section in both


def test_runs_are_told_apart(run: Run, tmp_path: Path) -> None:
    """What is true of one run is not said of all; and it does not matter which was published last."""
    strict = RECIPE.replace("output:", "  - {filter: pii, of: answer}\noutput:").replace("Pairs", "Others")
    other = made(tmp_path, languages=["arb"], recipe=strict, per_language=2)
    files = [*published(run, "0123456789ab"), *published(other, "ba9876543210")]
    first, second = card(run, files=files[:4]), card(other, files=files[4:])
    assert "no filter or transform in the recipe looked for it" in first
    assert "in answer were dropped (filter pii)" in second
    both, turned = card(other, existing=first, files=files), card(run, existing=second, files=files)
    assert sorted(re.sub(PART, "", both).split("\n")) == sorted(re.sub(PART, "", turned).split("\n"))
    assert sorted(PART.findall(both)) == sorted(PART.findall(turned))
    above = both.partition("<!-- glotmill:run")[0]
    assert "pii" not in above
    for name, rows in (("Pairs", 12), ("Others", 2)):
        assert f"- Run `run`, {rows} rows: `pairs`. \\# {name} \\|" in above
    of = [int(re.search(r" arb_Arab=(\d+)", part)[1]) for part in PART.findall(both)]  # type: ignore[index]
    assert f"`arb_Arab` | 5 | {sum(of):,} |" in above


def test_what_is_not_known_of_a_run_is_said(run: Run, tmp_path: Path) -> None:
    other = made(tmp_path, languages=["arb"], per_language=2)
    files = [*published(run, "0123456789ab"), *published(other, "ba9876543210")]
    text = card(other, existing="# By hand", files=files)
    assert "made in 2 runs" in text
    assert "The description of 1 run is lost" in text
    assert "| `arb_Arab` | 5 | – |" in text
    assert "| **all** (default) | `all` | 14 | – |" in text


def test_a_run_whose_files_are_gone_is_gone(run: Run, tmp_path: Path) -> None:
    other = made(tmp_path, languages=["arb"], per_language=2)
    before = card(run, files=published(run, "0123456789ab"))
    after = card(other, existing=before, files=published(other, "ba9876543210"))
    assert after == card(other, files=published(other, "ba9876543210"))


def test_a_lost_marker_loses_no_other_run(run: Run, tmp_path: Path) -> None:
    other = made(tmp_path, languages=["arb"], per_language=2)
    files = [*published(run, "0123456789ab"), *published(other, "ba9876543210")]
    both = card(other, existing=card(run, files=files[:4]), files=files)
    torn = both.replace("<!-- glotmill:run end -->\n", "", 1)
    mended = card(run, existing=torn, files=files)
    assert sorted(PART.findall(mended)) == sorted(PART.findall(both))


def test_runs_of_one_size_are_two(run: Run) -> None:
    """Which files of a dataset are a run's is told by all that their footers say."""
    here = published(run, "0123456789ab")
    like = [dataclasses.replace(f, path=f.path.replace("0123", "0000"), rows=f.rows + 1) for f in here]
    text = card(run, files=[*like, *here])
    assert "<!-- glotmill:run 0123456789ab toy" in text
    assert "`runs/0123456789ab/run.json`" in text


def test_a_comment_stays_with_the_key_below_it(run: Run) -> None:
    first = card(run)
    theirs = first.replace("\nconfigs:", "\n# it is large\n# and slow\nviewer: false\nconfigs:", 1)
    assert "\n# it is large\n# and slow\nviewer: false\n---\n" in card(run, existing=theirs)
