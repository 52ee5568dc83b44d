import random

import numpy as np
import polars as pl
import pytest

from glotmill.filters._similar.minhash import HASHES, band_keys, bands, signatures
from glotmill.filters._similar.shingles import MAX_CHARS, shingles_of


def sets(*texts):
    flat, counts = shingles_of(pl.Series(texts, dtype=pl.String))
    ends = np.cumsum(counts)
    return [set(flat[end - count : end].tolist()) for end, count in zip(ends, counts, strict=True)]


def test_a_text_is_its_runs_of_three_words():
    one, same, longer = sets("the cat sat on", "  the cat, sat\n(on)", "the cat sat on it")
    assert len(one) == 2
    assert same == one
    assert longer > one


def test_short_texts_are_one_run():
    assert [len(found) for found in sets("a", "a b", "a b c", "a b c d", "", None, "...")] == [
        1,
        1,
        1,
        2,
        0,
        0,
        0,
    ]
    assert len(set.union(*sets("a", "a b", "a b c", "b a"))) == 4


def test_scripts_without_spaces_are_taken_apart_letter_by_letter():
    assert [len(found) for found in sets("面包店很香", "パンの香り", "ก็ดีมาก", "བཀྲ་ཤིས")] == [3, 3, 5, 4]
    one, other = sets("面包店", "面包 店。")
    assert one == other


def test_signs_are_words():
    assert len(set.union(*sets("1 + 2", "1 - 2", "1 * 2", "1 2"))) == 4


def test_neighbours_do_not_matter():
    texts = [
        "one two three four",
        "",
        "五六七八九",
        "x",
        None,
        "line\nline\nline",
        "a" * 300_000,
        "one two three four",
    ]
    assert sets(*texts) == [found for text in texts for found in sets(text)]
    assert sets(*texts)[0] == sets(*texts)[-1]


def test_a_text_is_looked_at_up_to_a_length():
    text = " ".join(str(n) for n in range(MAX_CHARS))
    assert sets(text) == sets(text[:MAX_CHARS])


@pytest.mark.parametrize("shared", [0.2, 0.5, 0.8])
def test_signatures_tell_how_alike_sets_are(shared):
    chance = np.random.default_rng(3)
    found = []
    for _ in range(50):
        members = chance.integers(0, 2**32, 400, np.uint32)
        both, own = int(400 * shared), (400 - int(400 * shared)) // 2
        parts = [
            members[: both + own],
            np.concatenate([members[:both], members[both + own : both + 2 * own]]),
        ]
        made = signatures(np.concatenate(parts), np.array([len(part) for part in parts]))
        found.append((made[0] == made[1]).mean())
    assert np.mean(found) == pytest.approx(shared, abs=0.02)
    assert np.std(found) < 2 * (shared * (1 - shared) / HASHES) ** 0.5


@pytest.mark.parametrize("alike", [0.4, 0.65, 0.8, 0.95])
def test_bands_find_most_pairs_that_are_just_alike(alike):
    number, length = bands(alike)
    assert number * length <= HASHES
    assert 1 - (1 - alike**length) ** number >= 0.85
    assert 1 - (1 - (alike / 4) ** length) ** number < 0.1


def test_keys_are_shared_only_by_equal_salt():
    chance = random.Random(1)
    flat = np.array([chance.randrange(2**32) for _ in range(300)] * 2, np.uint32)
    made = signatures(flat, np.array([300, 300]))
    same = band_keys(made, 0.65, np.array([5, 5], np.uint64))
    assert (same[0] == same[1]).all()
    assert len(set(same[0].tolist())) == bands(0.65)[0]
    other = band_keys(made, 0.65, np.array([5, 6], np.uint64))
    assert not set(other[0].tolist()) & set(other[1].tolist())
