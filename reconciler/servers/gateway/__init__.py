"""The gateway as a program: `python -m reconciler.servers.gateway --root SESSION_ROOT`."""
