"""Filters on any dataset (`glotmill filter`), and thresholds for language detectors (`glotmill calibrate`).

Comes in: a source of rows (`glotmill.io.rows`), the language of the rows, and a list of filters. Goes out: a
folder with the kept rows, the other rows with their reasons, and the counts of each language. A stopped job
resumes: the input is split into the same parts every time, and a part that is written is not filtered again.

Read in this order:

    filter_dataset.py   prepare_job checks the filters against the dataset, run_job runs them
    filter_set.py       the filters to apply: names, a file, or the default set
    filter_columns.py   the columns of any table as filters read them
    process_parts.py    parts, worker processes, filters across rows
    output_folder.py    the files that are written, and what is found there on resume
    explain.py          what each filter finds in one row
    calibrate.py        thresholds of the language detectors, from human texts
"""
