import numpy as np
import polars as pl
from sentences import measure, reasons

from glotmill.filters.detectors import Scores
from glotmill.filters.language import language

TEXT = pl.col("text")
ASKED = []


def says_french(texts):
    """A detector that finds French in what holds `le`, and else a bit of Basque."""
    ASKED.extend(texts)
    french = np.array([float(" le " in text) for text in texts], np.float32)
    return Scores(("fra_Latn", "eus_Latn"), np.stack((french, (1 - french) * np.float32(0.7)), axis=1))


def says_nothing(texts):
    """A detector that knows French and never finds it."""
    ASKED.extend(texts)
    return Scores(("fra_Latn", "deu_Latn"), np.zeros((len(texts), 2), np.float32))


def test_the_next_detector_is_asked_only_of_what_is_not_accepted():
    texts = ["il mange toujours le pain du boulanger", "elle boit souvent du vin rouge ici"]
    stack = [f"{__name__}:says_french", f"{__name__}:says_nothing"]
    ASKED.clear()
    judged = language(TEXT, detectors=stack)
    assert reasons(judged, [*texts, texts[0]], language=["fra_Latn"] * 3) == [None, "wrong_language", None]
    assert [text.strip() for text in ASKED if text] == [*texts, texts[1]], "equal texts are asked once"
    votes = measure(judged, "votes", texts, language=["fra_Latn"] * 2)
    assert votes == [f"{stack[0]}=fra_Latn", f"{stack[0]}=eus_Latn"]
    assert measure(judged, "detected", texts, language=["fra_Latn"] * 2) == ["fra_Latn", "eus_Latn"]
    assert measure(judged, "score", texts, language=["fra_Latn"] * 2) == [1, 0]
    assert (
        reasons(language(TEXT, detectors=stack[1:]), texts, language=["deu_Latn"] * 2)
        == ["wrong_language"] * 2
    )


def takes_all_for_french(texts):
    """A detector that knows French and English only, and finds French in everything."""
    ASKED.extend(texts)
    return Scores(("fra_Latn", "eng_Latn"), np.tile(np.array([0.9, 0.0], np.float32), (len(texts), 1)))


def is_sure_of_basque(texts):
    """A detector that knows Basque, and says how sure it is by the first letter."""
    sure = [0.85 if text.lstrip().startswith("A") else 0.7 for text in texts]
    return Scores(
        ("fra_Latn", "eus_Latn"), np.array([[0.0, each] for each in sure], np.float32).reshape(-1, 2)
    )


def test_what_is_certainly_another_language_is_not_put_to_a_detector_that_does_not_know_that_one():
    stack = [f"{__name__}:is_sure_of_basque", f"{__name__}:takes_all_for_french"]
    texts = ["Aizu, gizon hau etxean dago orain", "Entzun, gizon hau etxean dago orain"]
    ASKED.clear()
    judged = language(TEXT, detectors=stack)
    assert reasons(judged, texts, language=["fra_Latn"] * 2) == ["wrong_language", None]
    assert [text for text in ASKED if text] == texts[1:]
    assert measure(judged, "votes", texts[:1], language=["fra_Latn"]) == [f"{stack[0]}=eus_Latn"]


def test_one_threshold_may_stand_for_all():
    text = ["le petit chat boit du lait chaud"]
    stack = [f"{__name__}:says_french"]
    assert reasons(language(TEXT, detectors=stack), text, language=["eus_Latn"]) == [None]
    assert reasons(language(TEXT, detectors=stack, min_score=0.9), text, language=["eus_Latn"]) == [
        "wrong_language"
    ]
