"""Names of the columns that glotmill itself makes, and of the verdicts that they hold."""
