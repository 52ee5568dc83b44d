"""One question and one answer, as `question` and `answer`, in lines of JSON."""

import polars as pl

from glotmill.errors import UsageError

SUFFIX = "jsonl"
SCHEMA = {"question": pl.String(), "answer": pl.String()}


def question_answer(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first user message and the last assistant message of each row.

    rows: messages -> question, answer
    Raises UsageError for rows without messages.
    """
    if "messages" not in rows.columns:
        raise UsageError(f"question-answer: no column 'messages'; the columns are {', '.join(rows.columns)}")
    content = pl.col("messages").list.eval(pl.element().struct.field("content"))
    return rows.select("id", "language", question=content.list.first(), answer=content.list.last())
