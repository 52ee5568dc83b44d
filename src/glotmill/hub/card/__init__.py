"""The dataset card: the README.md of a dataset on the Hub, written from its runs and its files.

In: a run folder, the footers of all parquet files of the dataset, and the card that is on the Hub, if any.
Out: the text of the new card. The same run and files give the same bytes, and nothing is taken from memory:
each number comes from a run's facts (`glotmill.report.facts`) or from a footer.

A card has three layers. The front matter is YAML that the Hub searches and loads by; keys that people added
stay. Between two markers is what glotmill writes, with one section for each run; sections of earlier runs
stay for as long as the dataset has files of theirs. Whatever people wrote outside the markers is left
alone.

Read in this order:

    card.py           `card`: takes the old card apart, and puts the new one together (template card.j2)
    front_matter.py   licence, languages, tags, configs and dataset_info
    validate.py       the checks of the Hub, made before anything is uploaded
    run_section.py    the section of one run: steps, filters, funnel, samples, known limits (run_section.j2)
    reproduce.py      the commands that make the rows again, and the templates that were used
    markdown.py       escaping: neither a recipe nor a model can write Markdown or HTML into a card
"""
