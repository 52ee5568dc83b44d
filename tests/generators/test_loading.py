"""What engines that load a model decide before they do."""

from pathlib import Path

import pytest

from glotmill.generators._shared import loading
from glotmill.generators._shared.loading import dtype_on_cpu

INTEL = "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd sve bf16\n"
OLD = "processor\t: 0\nflags\t\t: fpu avx2 avx512f\n"


@pytest.fixture(autouse=True)
def fresh() -> None:
    loading._has_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("cpu", "own", "width", "dtype"),
    [
        (INTEL, "bfloat16", 896, "bfloat16"),
        (INTEL, "torch.bfloat16", 896, "bfloat16"),
        (ARM, "bfloat16", 896, "bfloat16"),
        (OLD, "bfloat16", 896, "float32"),
        (INTEL, "float32", 896, "float32"),
        (INTEL, "float16", 896, "float32"),
        (INTEL, "bfloat16", 256, "float32"),
        ("", "bfloat16", 896, "float32"),
    ],
)
def test_bfloat16_stays_where_the_cpu_computes_in_it(
    cpu: str, own: str, width: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path, **options: cpu)
    try:
        assert dtype_on_cpu(own, width) == dtype
    finally:
        loading._has_bfloat16.cache_clear()
