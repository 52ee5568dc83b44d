"""The dataset's files: form, bytes, and what reads them."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from glotmill.recipes.recipe import Output
from glotmill.runner import dataset

ROWS = pl.DataFrame(
    {
        "id": ["a", "b"],
        "row": [0, 1],
        "language": ["eng_Latn", "eng_Latn"],
        "q": ["Qé", None],
        "a": ["A", "B"],
        "n": [1, 2],
        "verdict": ["kept", "kept"],
    }
)


def output(**plain: object) -> Output:
    return Output.model_validate(plain)


def test_shape() -> None:
    made = dataset.shape(ROWS, output(messages={"assistant": "a", "user": "q"}, columns=["n", "id", "n"]))
    assert made.columns == ["id", "language", "messages", "n"]
    assert made["messages"].to_list() == [
        [{"role": "user", "content": "Qé"}, {"role": "assistant", "content": "A"}],
        [{"role": "assistant", "content": "B"}],
    ], "what is null is not said"
    assert dataset.shape(ROWS, output(columns=["a"])).columns == ["id", "language", "a"]
    assert dataset.shape(ROWS.clear(), output(messages={"user": "q"})).schema["messages"] == dataset.MESSAGES


def many(count: int, start: int = 0) -> pl.DataFrame:
    ids = [f"{n:06d}" for n in range(start, start + count)]
    return pl.DataFrame({"id": ids, "text": [f"text of {i} " * 20 for i in ids]})


def test_how_rows_come_in_decides_nothing(tmp_path: Path) -> None:
    for number, cuts in enumerate(([20_000], [1, 4_999, 15_000], [256] * 78 + [32])):
        starts = [sum(cuts[:n]) for n in range(len(cuts))]
        tables = (many(cut, start) for cut, start in zip(cuts, starts, strict=True))
        assert dataset.write(tmp_path / str(number), "eng_Latn", tables) == 20_000
    (one,), (two,), (three,) = (list((tmp_path / str(n) / "eng_Latn").iterdir()) for n in range(3))
    assert one.name == "train-00000-of-00001.parquet"
    assert pl.read_parquet(one).equals(many(20_000))
    assert pl.read_parquet(two).equals(many(20_000))
    assert pl.read_parquet(three).equals(many(20_000))


def test_equal_rows_make_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        dataset.write(tmp_path / name, "eng_Latn", (many(256, n * 256) for n in range(40)))
    one, two = (
        (tmp_path / n / "eng_Latn" / "train-00000-of-00001.parquet").read_bytes() for n in ("one", "two")
    )
    assert one == two


def test_the_file_is_as_the_hub_wants_it(tmp_path: Path) -> None:
    dataset.write(tmp_path, "eng_Latn", [many(12_000)])
    file = pq.ParquetFile(tmp_path / "eng_Latn" / "train-00000-of-00001.parquet")
    assert file.metadata.num_row_groups == 3
    column = file.metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert column.has_offset_index
    assert column.has_column_index


def test_large_datasets_are_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "ROWS_PER_FILE", 5_000)
    dataset.write(tmp_path, "eng_Latn", (many(2_500, n * 2_500) for n in range(5)))
    names = sorted(path.name for path in (tmp_path / "eng_Latn").iterdir())
    assert names == [f"train-0000{n}-of-00003.parquet" for n in range(3)]
    assert pl.read_parquet(tmp_path / "eng_Latn").equals(many(12_500))


def test_a_new_dataset_takes_the_place_of_the_old(tmp_path: Path) -> None:
    dataset.write(tmp_path, "eng_Latn", [many(10)])
    dataset.write(tmp_path, "eng_Latn", [many(3)])
    assert pl.read_parquet(tmp_path / "eng_Latn").height == 3
    assert dataset.write(tmp_path, "eng_Latn", [many(0)]) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old(tmp_path: Path) -> None:
    dataset.write(tmp_path, "eng_Latn", [many(10)])

    def broken() -> object:
        yield many(6_000)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        dataset.write(tmp_path, "eng_Latn", broken())  # type: ignore[arg-type]
    assert pl.read_parquet(tmp_path / "eng_Latn").equals(many(10))
    dataset.write(tmp_path, "eng_Latn", [many(4)])
    assert [path.name for path in tmp_path.iterdir()] == ["eng_Latn"]


def test_rows_go_together_with_other_datasets(tmp_path: Path) -> None:
    import datasets

    chat = [{"role": "user", "content": "x"}]
    dataset.write(tmp_path, "eng_Latn", [pl.DataFrame({"messages": [chat], "tags": [["a"]]})])
    made = datasets.Dataset.from_parquet(
        str(next((tmp_path / "eng_Latn").iterdir())), cache_dir=str(tmp_path)
    )
    other = datasets.Dataset.from_list([{"messages": chat, "tags": ["b"]}])
    assert datasets.concatenate_datasets([made, other])["tags"] == [["a"], ["b"]]
