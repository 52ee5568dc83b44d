"""`glotmill report`: the numbers of a run, and one self-contained HTML page that shows them.

In: a run folder, finished or not. Rows and replies are read in batches, so a report of a large run needs
little memory. Out: the numbers as JSON (`glotmill report --json`), or a page without any network request:
charts, tables by language, and a sample of rows to search. The same run gives the same bytes. What a model
wrote is in the page as data, never as markup.

The dataset card (`glotmill.hub.card`) is made from the same numbers.

Read in this order:

    facts.py      `facts`: every number there is of a run, as plain JSON values
    measures.py   what the rows of one language tell: lengths, detected languages, copies, reasons
    spending.py   what the replies tell: requests, tokens and seconds of each step
    sample.py     which rows are shown: kept ones, some for each reason, and the worst-scored
    tables.py     the tables that have a row for each language, as the page's script draws them
    report.py     `report`, `write`: puts it all into the template page/report.html.j2
    page/         the template, its style and its scripts
"""
