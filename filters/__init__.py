"""What is kept: one judgement a file, one function of the file's name.

A filter takes the judged column as a polars expression and its options as keyword arguments, and returns
an expression: null keeps the row, a text drops it and is the reason (a short snake_case name). A filter that
also measures returns a struct whose field `reason` is that text; its other fields become columns
`<column>_<filter>_<field>`. An option that names another column is a plain text whose default is the usual
name (`language: str = "language"`).

A filter may judge a row by the rows that came before it, over all shards of a language, without having them
in memory. Its module then has more functions, beside the one that judges a table at hand. Each is given those
options of the filter that it names as keyword arguments:

    keys(column, **options)     an expression, List(UInt64) a row: numbers that stand for what must not come
                                too often. They are the same in every process. Null or none: the row is kept.
    limit(**options)            how often a key may come, 1 by default: a row is dropped when one of its keys
                                was in so many rows that were kept before it, in (shard, row) order.
    reason(**options)           of the rows that are dropped; by default the filter's name.
    alike(**options)            where `keys` gives a struct of `keys` and `sketch` (Binary): a row that shares
                                a key with a kept one is dropped only if at least this share of the bytes of
                                their sketches is equal.
    earlier(column, **options)  tables of rows that count as seen before the first row, one after the other.

Only `keys` is needed. Such a filter may stand in `finish:` of a recipe, and what it drops there is asked for
anew at once. Any other filter may stand there too, behind those with keys: it is asked once, with all rows of
a language that were kept, such as for the best half of them; what it drops is asked for in another round.

What the rest of glotmill must know of a filter, its module declares beside the function; it never goes by a
filter's name. All of these are optional, and `glotmill.plugins.declared` reads them:

    ACROSS_ROWS = True          the verdict on a row depends on other rows (implied by `keys`)
    COPY_REASONS = (...)        reasons that call a row a copy of another one
    WITHHELD = True             what it drops leaves the run in no form, not even as a rejected reply
    JUDGES_SCORE = True         the judged column is a score that a step gave to the text of another column
    NO_FAULT_REASONS = (...)    reasons that say nothing against the text, such as `no_detector`
    PERSONAL_DATA = "dropped"   it drops (or, of a transform, `"masked"`) personal data
    PACKAGES = (...)            distributions whose versions change its verdicts
    PHRASES = Path(...)         a CSV of the phrases it knows, with a column `language`
    cannot_judge(tag, **options) -> str | None
                                why it cannot judge texts of a language, in words for the user
    limits_by_language(tags, versions, **options) -> {tag: {name: number}}
                                thresholds that come from its tables, not from its options
"""
