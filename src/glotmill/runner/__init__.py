"""A recipe, run."""
