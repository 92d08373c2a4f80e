"""`python -m reconciler` is `houmao`."""

import sys

from reconciler.cli.main import main

sys.exit(main())
