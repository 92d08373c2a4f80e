"""A kind's schema, imported when it is first asked for: a listing or a plan with nothing changed never needs it."""

from collections.abc import Callable
from importlib import import_module

from reconciler.engine.handler import KindSchema


def schema_of(folder: str) -> Callable[[], KindSchema]:
    """A function that imports `kinds.<folder>.schema` and answers its SCHEMA."""

    def load() -> KindSchema:
        schema: KindSchema = import_module(f"reconciler.kinds.{folder}.schema").SCHEMA
        return schema

    return load
