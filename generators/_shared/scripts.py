"""Which tokens of a vocabulary are free of letters of other scripts."""

import re
from collections.abc import Sequence

import polars as pl

from glotmill.errors import RequestFailed
from glotmill.languages import COMBINED_SCRIPTS

_CODE = re.compile(r"[A-Z][a-z]{3}")


def allowed_ids(texts: Sequence[str], scripts: Sequence[str]) -> list[int]:
    """Return the numbers of the texts that hold no letter or mark of another script.

    texts: what each token of a vocabulary decodes to, "" for special tokens. Tokens of single bytes decode to
        replacement characters; what they will be part of is not known, and they stay.
    scripts: ISO 15924 codes, such as Deva. Letters that scripts share (Common, Inherited) are of all of them.

    Raises RequestFailed `bad_sampling` for a script that Unicode does not know.
    """
    parts = [part for script in scripts for part in COMBINED_SCRIPTS.get(script, (script,))]
    if unknown := [part for part in parts if not _CODE.fullmatch(part)]:
        raise RequestFailed("bad_sampling", f"allowed_scripts: {unknown[0]!r} is no ISO 15924 code")
    own = "".join(rf"\p{{scx:{part}}}" for part in parts)
    foreign = rf"[[\p{{L}}\p{{M}}]--[\p{{sc:Zyyy}}\p{{sc:Zinh}}{own}]]"
    try:
        has_foreign = pl.Series(texts, dtype=pl.String).str.contains(foreign)
    except pl.exceptions.PolarsError as error:
        codes = ", ".join(scripts)
        raise RequestFailed(
            "bad_sampling", f"allowed_scripts: {codes}: not all are scripts of Unicode"
        ) from error
    return (~has_foreign).arg_true().to_list()
