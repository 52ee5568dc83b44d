"""The card of a dataset, made from its run and its files."""
