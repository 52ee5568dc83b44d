"""One plugin of each kind for glotmill."""
