"""Authoring from the command line: flags become declared resources, and go the way of every declaration."""
