"""`glotmill report`: the numbers of a run, and one self-contained HTML page that shows them.

In: a run folder, finished or not. Rows and replies are read in batches, so a report of a large run needs
little memory. Out: the numbers, as frozen values or as JSON (`glotmill report --json`), and a page that makes
no network requests: charts, tables by language, and a sample of rows to search. The same run gives the same
bytes. What a model wrote is in the page as data, never as markup.

The dataset card (`glotmill.hub.card`) is made from the same numbers.

Read in this order:

    run_facts.py       `RunFacts`: every number there is of a run, as frozen values; their JSON
    facts.py           `facts`: reads the run folder and fills them
    row_measures.py    the rows of one language: lengths, detected languages, copies, reasons
    spending.py        the replies: requests, tokens, seconds and cost of each step
    sample.py          the rows to show: kept ones, some for each reason, and the lowest-scored
    tables.py          the tables that have a row for each language, as the page's script draws them
    report.py          `report`, `write`: put it all into the template page/report.html.j2
    page/              the template, its style and its scripts
"""
