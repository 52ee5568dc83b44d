"""What is kept: one judgement per file, a function of the file's name.

A filter takes a column as a polars expression and its options as keyword arguments, and returns an
expression: null keeps the row, a text drops it and is the reason (a short snake_case name). A filter that
also measures returns a struct whose field `reason` is that text; its other fields become columns
`<column>_<filter>_<field>`. An option that names another column is a text whose default is the usual name
(`language: str = "language"`); one with a fixed set of values has the type `Literal[...]`.

Read `length.py` first, then a filter that measures (`script.py`), then one that compares rows
(`balance.py`). Helpers are in folders: `_text/` (words, scripts, numbers), `_similar/` (copies, references),
`detectors/` (languages).

A filter may compare rows with earlier ones, over all shards of a language, without having them in memory.
Its module then declares more functions. Each receives those options of the filter that it names:

    keys(column, **options)     an expression, List(UInt64) per row: numbers that stand for what may not occur
                                too often, the same in every process. Null or no number: the row is kept.
    limit(**options)            how often a key may occur, 1 by default: a row is dropped if one of its keys
                                occurs in that many rows kept before it, in (shard, row) order.
    reason(**options)           the reason of dropped rows, the filter's name by default.
    alike(**options)            if `keys` returns a struct of `keys` and `sketch` (Binary): a row that shares
                                a key with a kept one is dropped only if at least this share of the bytes of
                                their sketches is equal.
    earlier(column, **options)  tables of rows that count as kept before the first row.

Only `keys` is required. Such a filter may be used in `finish:` of a recipe, and rows that it drops are
replaced at once. Any other filter may be used there too, after those with keys: it is called once, with all
rows of a language that were kept, for example to select the best half of them. Rows that it drops are
replaced in another round.

Whatever else glotmill must know about a filter, its module declares; the core never names a
filter. All of these are optional, and `glotmill.plugins.declared` reads them:

    ACROSS_ROWS = True          the verdict on a row depends on other rows (implied by `keys`)
    COPY_REASONS = (...)        reasons that call a row a copy of another one
    WITHHELD = True             rows that it drops must not leave the run, not even as rejected replies
    JUDGES_SCORE = True         the column is a score that a step gave to the text of another column
    NO_FAULT_REASONS = (...)    reasons that say nothing against the text, such as `no_detector`
    PERSONAL_DATA = "dropped"   it drops personal data (or, for a transform, `"masked"`)
    PACKAGES = (...)            distributions whose versions change its verdicts
    PHRASES = Path(...)         a CSV of the phrases that it knows, with a column `language`
    cannot_judge(tag, **options) -> str | None
                                why it cannot check a language, and the remedy, as a message to the user
    limits_by_language(tags, versions, **options) -> {tag: {name: number}}
                                thresholds that come from its tables, not from its options
    LIMITS_NOTE = "..."         what these thresholds mean, as the report says below them
"""
