"""`python -m edgecalc` is `edgecalc`."""

import sys

from edgecalc.cli import main

sys.exit(main())
