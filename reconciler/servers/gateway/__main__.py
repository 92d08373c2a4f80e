"""Start a gateway."""

import sys

from reconciler.servers.gateway.main import main

sys.exit(main(sys.argv[1:]))
