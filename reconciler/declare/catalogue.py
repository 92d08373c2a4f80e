"""Which kinds there are, and their schemas, each imported when a document of it occurs.

A kind is a sub-package of `reconciler.kinds` with a module `schema` that has `SCHEMA`; its name is the folder's in
camel case. Kinds of other distributions are entry points of the group `reconciler.kinds` whose module has a `handler`;
they are looked up only for a name that is not built in, because reading the metadata of an installation is slow.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from reconciler.declare.schema import Schema

GROUP = "reconciler.kinds"
OVERLAY = "Overlay"
"""The composition document: not a resource."""

LATER = frozenset({"ExternalImport", "Fleet", "Machine", "Mailbox", "Moved", "RemotePermission"})
"""Kinds that a later release brings: refused by name, not as unknown."""


class Extension(NamedTuple):
    """A kind that another distribution brings: its name and the module that holds its `handler`."""

    kind: str
    package: str


class Catalogue:
    """Kinds by name. `package` is where built-in ones are found; a test may give another. `folders` are its
    sub-packages, from whoever has listed them already.
    """

    __slots__ = ("_built_in", "_extensions", "_package", "_schemas")

    def __init__(
        self,
        package: str = "reconciler.kinds",
        extensions: tuple[Extension, ...] | None = None,
        folders: tuple[str, ...] | None = None,
    ) -> None:
        self._package = package
        self._built_in = None if folders is None else {camel(folder): folder for folder in folders}
        self._extensions = None if extensions is None else {each.kind: each.package for each in extensions}
        self._schemas: dict[str, Schema | None] = {}

    def built_in(self) -> tuple[str, ...]:
        """The names of the kinds that ship with the package, sorted."""
        return tuple(sorted(self._folders()))

    def names(self) -> tuple[str, ...]:
        """The names of all kinds of this installation, sorted."""
        return tuple(sorted({*self._folders(), *self._extended()}))

    def schema(self, kind: str) -> "Schema | None":
        """The schema of a kind, imported now if it was not; None when there is no such kind."""
        if kind not in self._schemas:
            self._schemas[kind] = self._load(kind)
        return self._schemas[kind]

    def _load(self, kind: str) -> "Schema | None":
        folder = self._folders().get(kind)
        found: Schema
        if folder is not None:
            found = import_module(f"{self._package}.{folder}.schema").SCHEMA
            return found
        package = None if kind in LATER else self._extended().get(kind)
        if package is None:
            return None
        found = import_module(package.partition(":")[0]).handler.schema
        return found

    def _folders(self) -> dict[str, str]:
        if self._built_in is None:
            from pkgutil import iter_modules

            found = iter_modules(import_module(self._package).__path__)
            self._built_in = {camel(module.name): module.name for module in found if module.ispkg}
        return self._built_in

    def _extended(self) -> dict[str, str]:
        if self._extensions is None:
            from importlib.metadata import entry_points

            self._extensions = {point.name: point.value for point in entry_points(group=GROUP)}
        return self._extensions


def camel(folder: str) -> str:
    """`launch_profile` as `LaunchProfile`."""
    return "".join(part.capitalize() for part in folder.split("_"))
