"""`python -m glotmill` is the command `glotmill`."""

import os
import sys

if not sys.flags.safe_path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 before any import
    del sys.path[0]  # Python puts the working folder first, where a random.py would hide the library's

from glotmill.cli import main

if __name__ == "__main__":
    sys.exit(main())
