"""`python -m edgecalc` is `edgecalc`."""

import sys

from edgecalc.shell.start import main

sys.exit(main())
