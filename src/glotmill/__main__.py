"""`python -m glotmill` is the command `glotmill`."""

import os
import sys

try:
    here = os.getcwd()  # noqa: PTH109 before any import
except FileNotFoundError:  # it was removed: `main` says so
    here = ""
if not sys.flags.safe_path and sys.path[0] in ("", here):
    del sys.path[0]  # Python puts the working folder first, where a random.py would hide the library's

from glotmill.cli import main

if __name__ == "__main__":
    sys.exit(main())
