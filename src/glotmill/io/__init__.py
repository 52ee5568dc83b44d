"""What enters and leaves: rows, files, texts for a terminal, and what must not leave.

Every other room builds on this one; it knows no recipe, run or filter.

- `rows/` is the one reader of rows. `open_rows(location)` takes a file, a folder, a run or a dataset of the
  Hub, and returns its rows as dictionaries or as pyarrow tables of one schema. Seeds, `glotmill filter`,
  `glotmill calibrate`, few-shot examples and the filters that compare with other data all read through it.
- `hub_names.py` is what the Hub calls things: ids and paths of datasets, licences, tasks, sizes.
- `surrogates.py` makes any text writable as UTF-8; `terminal.py` makes it safe to print.
- `atomic.py` writes files and folders whole or not at all; `child_process.py` starts Python processes;
  `local_paths.py` refuses to write to `s3://` and the like.
- `run_files.py` knows the files of rows that a run wrote from a user's; `checksum.py` knows damaged ones.
- `redact.py` hides secrets, paths and servers in what is kept or published; `pii.py` finds personal data in
  texts, for filters and transforms.

Read `rows/__init__.py` first, then `atomic.py` and `redact.py`. Heavy packages (pyarrow, datasets) are
imported inside the functions that need them.
"""
