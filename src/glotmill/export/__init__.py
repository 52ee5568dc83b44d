"""`glotmill export`: the rows of a finished run in the formats of trainers.

In: a finished run, the name of a format with its options, and the shares of splits. Out: a folder with one
folder per language and one file per split, a README.md by which `datasets.load_dataset` finds them, the
config files that a trainer needs, and `export.json`, which marks the folder as an export.

Rows pass through one shard at a time. All rows made from one seed row are in one split, whatever their
language, so nothing leaks from train to test. The folder is written whole or not at all.

Read the files in this order:

    export.py          the run, the splits and the files
    formats/           one format a file; `formats/__init__.py` says what a format is given and returns
    output_format.py   a format with its options, and the check of what it returns
    splits.py          which split a seed row belongs to
    split_files.py     parquet, JSON and text files
    dataset_readme.py  README.md for `datasets`
"""
