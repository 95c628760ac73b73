"""`python -m intae` is the command `intae`."""

import sys

from .benchmark.cli import main

sys.exit(main())
