"""The one reader of rows: for seeds, `glotmill filter`, and the datasets that filters compare with.

A location is a file, a folder of files, a pattern such as `data/*.parquet`, the folder of a run or of
`glotmill filter`, a dataset of the Hub (`hf://owner/name[@revision][/config]`; without `hf://` where no such
path exists), or `-` for stdin. `open_rows(location)` returns a source with two views of the same rows:

- `rows()` yields dictionaries with the values as they are written, and reads little further than it is asked.
- `tables()` yields pyarrow tables of at most ROWS rows and about BYTES bytes, cut at the same places every
  time. All have one schema that fits every row; finding it takes a first pass over the files.

.jsonl and .ndjson hold an object a line, .json that or one array of objects; .csv and .tsv have a header, all
cells are text and empty ones null; .txt and stdin hold a text a line, in the column `text`, or an object a
line if the first is one. All but .parquet may be compressed (.gz, .zst) and begin with a byte order mark.
Blank lines are no rows.

Read `files.py` first (what a location stands for, and how files become one dataset), then `formats.py` (how
one file is read), `text_blocks.py` (where it is cut, and the tables it becomes) and `hub.py`.
"""

from glotmill.io.rows.files import LOCATIONS, FileRows, RowSource, is_file_name, open_rows
from glotmill.io.rows.hub import HubRows
from glotmill.io.rows.text_blocks import Row, to_polars

__all__ = ["LOCATIONS", "FileRows", "HubRows", "Row", "RowSource", "is_file_name", "open_rows", "to_polars"]
