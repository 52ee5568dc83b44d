"""`python -m glotmill` is the command `glotmill`."""

import sys

from glotmill.cli import main

if __name__ == "__main__":
    sys.exit(main())
