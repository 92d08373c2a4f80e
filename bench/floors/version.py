"""Print a version."""

import sys

sys.stdout.write("houmao 0.0.0\n")
