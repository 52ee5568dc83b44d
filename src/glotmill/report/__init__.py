"""`glotmill report`: the numbers of a run, and its page."""
