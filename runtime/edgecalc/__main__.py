"""`python -m edgecalc` is `edgecalc`."""

import sys

from edgecalc.shell.cli import main

sys.exit(main())
