"""What a parser raises."""


class Unparsed(ValueError):
    """The reply does not have the form that the step requires; the text of the error is the row's reason."""
