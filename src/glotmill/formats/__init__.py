"""The shapes in which rows leave: one function a file."""
