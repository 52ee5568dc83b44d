"""A recipe, run: seed rows and an engine go in, a run folder with a dataset comes out.

A row's way, in the order to read the files:

    run.py               reads and checks everything that can be wrong, writes run.json, starts the schedule
    earlier_run.py       what an earlier command left in the folder: a damaged run.json, another run's dataset
    check.py             takes an empty table through the steps, so mismatches are found before a model loads
    schedule.py          opens shards, several at once, until every language has its rows
    quota.py             counts: how many rows a language has, whether it needs one more shard or is given up
    forecast.py          how many requests and seconds the languages still take
    shard.py             some hundred rows of one language; the loop over the recipe's steps
    generate.py          a generate step: rows -> requests -> replies -> columns; failed rows are asked again
    request_queue.py     the queue in front of the engine, one for all shards
    window.py            how many requests are in flight
    open_engine.py       chooses and checks the engine; its first request opens it
    parse/               a reply's text -> a value: text, JSON, lines, turns, a tagged part
    apply_filters.py     filters applied to a table; filter_workers.py does it in worker processes
    finish_filters.py    applies the filters under `finish:` to the rows of all shards; writes the datasets
    dataset.py           the shape of the dataset, and its parquet files
    run_folder.py        the run folder: run.json, replies/, rows/, dataset/
    funnel.py            how many rows went where

Not on this path: preview.py (a few rows, without a run folder).

Three rules hold it together. A run is a pure function of recipe, seeds and replies, so running the same
command again resumes it, asks for nothing twice and writes the same bytes. Rows count in (shard, row) order,
never in order of arrival. A reply is in the journal before anything else sees it, so a killed process loses
none.
"""
