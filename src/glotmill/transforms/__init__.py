"""Named functions, one a file, that take a table and return a table, perhaps with another number of rows."""
