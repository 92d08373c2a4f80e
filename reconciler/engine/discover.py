"""Which kinds there are, and their handlers, imported when a resource of the kind occurs.

Built-in kinds are the folders of `reconciler.kinds`; a kind that is not built in comes from an entry point in the group
`reconciler.kinds`. Both answer with a module that has a `handler` (R-EXT-1).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module

from reconciler.engine.handler import KindHandler

PACKAGE = "reconciler.kinds"


class Discovered(Mapping[str, KindHandler]):
    """Kind to handler; asking for one imports its module, listing the names imports none."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(sorted(modules.items()))
        self._loaded: dict[str, KindHandler] = {}

    def __getitem__(self, kind: str) -> KindHandler:
        found = self._loaded.get(kind)
        if found is None:
            handler: KindHandler = import_module(self._modules[kind]).handler
            found = self._loaded[kind] = handler
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, kind: object) -> bool:
        return kind in self._modules


@lru_cache(maxsize=2)
def built_in(folders: tuple[str, ...] | None = None) -> Discovered:
    """The kinds that ship with the product: one folder each; `folders` from whoever has listed them already."""
    if folders is None:
        from pkgutil import iter_modules

        found = iter_modules(import_module(PACKAGE).__path__)
        folders = tuple(module.name for module in found if module.ispkg)
    return Discovered({camel(folder): f"{PACKAGE}.{folder}" for folder in folders})


def camel(folder: str) -> str:
    """`launch_profile` to `LaunchProfile`."""
    return "".join(word.capitalize() for word in folder.split("_"))
