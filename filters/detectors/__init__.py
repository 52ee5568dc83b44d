"""Language detectors: one a file, a function of the file's name.

A detector takes a batch of clean texts and returns for each its labels with their probabilities, best first,
over all the languages it knows. The same text always gives the same answer, whatever stands beside it.
Labels are the detector's own codes: the column of its name in the table of languages says which language
each is.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

Detect: TypeAlias = Callable[[Sequence[str]], list[list[tuple[str, float]]]]
