"""Contracts are checked on the real program too."""

from tests.cli.conftest import houmao

__all__ = ["houmao"]
