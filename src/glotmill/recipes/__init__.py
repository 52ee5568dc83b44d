"""A recipe, read and checked."""
