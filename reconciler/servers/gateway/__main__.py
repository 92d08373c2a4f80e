"""Start a gateway."""

import sys

from reconciler.servers.gateway.lean import lean

lean()

from reconciler.servers.gateway.main import main  # noqa: E402  # what it imports must find `lean` done

sys.exit(main(sys.argv[1:]))
