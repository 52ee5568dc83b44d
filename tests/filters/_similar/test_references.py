import re

from glotmill.filters._similar.references import benchmarks, find
from glotmill.languages import find as find_language


def test_every_benchmark_can_be_named():
    known = benchmarks()
    assert {"mgsm", "belebele", "global_mmlu", "flores_plus", "xnli", "xquad", "gsm8k"} <= set(known)
    for name, row in known.items():
        assert re.fullmatch(r"[a-z0-9_]+", name)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", row["dataset"])
        assert row["gated"] in ("yes", "no")
        if row["gated"] == "no":
            assert find(name).source.path.id == row["dataset"]


def test_languages_of_benchmarks_are_tags_or_a_number():
    for row in benchmarks().values():
        if not row["languages"].isdigit():
            tags = row["languages"].split()
            assert [find_language(tag).tag for tag in tags] == tags


def test_a_config_may_be_named():
    assert find("belebele").configs == "*"
    assert find("belebele/swh_Latn").configs == "swh_Latn"
    assert find("hf://owner/name").configs == "*"
    assert find("hf://datasets/owner/name/s*").configs == "s*"
