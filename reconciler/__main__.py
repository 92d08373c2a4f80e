"""`python -m reconciler` is `houmao`."""

from reconciler.cli.main import program

program()
