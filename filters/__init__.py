"""What is kept: one judgement a file, one function of the file's name.

A filter takes the judged column as a polars expression and its options as keyword arguments, and returns
an expression: null keeps the row, a text drops it and is the reason (a short snake_case name). A filter that
also measures returns a struct whose field `reason` is that text; its other fields become columns
`<column>_<filter>_<field>`. An option that names another column is a plain text whose default is the usual
name (`language: str = "language"`).
"""
