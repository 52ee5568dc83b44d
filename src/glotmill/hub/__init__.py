"""`glotmill publish`: a finished run becomes a dataset on the Hugging Face Hub, or adds to one.

In: a finished run, `PublishOptions`, and the login of the user. Out: one commit with the rows, the card, a
manifest, the recipe and the report; a tag; and the proof that every config loads with its rows.

Published rows never change. A dataset keeps the rows of other runs; a run that grew adds files. Any step may
be interrupted or fail: the same command again finds what is on the Hub and does only what is missing.
`glotmill.io.redact` removes paths, servers and secrets from every text that leaves.

Read the files in this order:

    publish.py             the steps: plan, commit, tag, verify; and the dry run
    package.py             a run, packed: row files, documents, hashes
    publish_plan.py        the plan: what a commit would change, the card, the manifest, the tag
    unpublished_rows.py    which rows the dataset does not have yet
    footers.py             what parquet footers say: configs, features and counts
    client.py              one dataset on the Hub; with retry.py (errors) and range_file.py (partial reads)
    verify.py              loads every config as any user would
    card/                  the README.md of the dataset
"""
