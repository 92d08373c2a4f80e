"""The CLI agent products the program can run. Each sub-package exposes one `provider`; adding one edits nothing else.

Providers of other distributions come through the entry point group `reconciler.providers`, which is asked only for a
name that is not built in: looking entry points up reads the metadata of every installed distribution.
"""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.ports.provider import Provider

GROUP = "reconciler.providers"


def discover(names: Iterable[str] | None = None) -> Mapping[str, Provider]:
    """Every provider by its name; a provider is imported when it is asked for.

    `names` are the built-in ones, from whoever has listed them already.

    Iterating and `len` tell the built-in ones and, once somebody asked for a name that is not built in, the others.
    """
    if names is None:
        from pkgutil import iter_modules

        names = (module.name for module in iter_modules(__path__) if module.ispkg)
    return Discovered(sorted(names))


class Discovered(Mapping[str, Provider]):
    """Names first, modules when needed."""

    __slots__ = ("_built_in", "_loaded", "_others")

    def __init__(self, built_in: list[str]) -> None:
        self._built_in = built_in
        self._loaded: dict[str, Provider] = {}
        self._others: tuple[str, ...] | None = None

    def __getitem__(self, name: str) -> Provider:
        found = self._loaded.get(name)
        if found is None:
            found = self._loaded[name] = self._load(name)
        return found

    def _load(self, name: str) -> Provider:
        import importlib

        if name in self._built_in:
            module = importlib.import_module(f"{__name__}.{name}")
            built_in: Provider = module.provider
            return built_in
        from importlib.metadata import entry_points

        self._others = tuple(sorted(point.name for point in entry_points(group=GROUP)))
        for point in entry_points(group=GROUP, name=name):
            other: Provider = point.load()
            return other
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        if name in self._built_in:
            return True
        if not isinstance(name, str):
            return False
        try:
            self[name]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        others = [name for name in self._others or () if name not in self._built_in]
        return iter([*self._built_in, *others])

    def __len__(self) -> int:
        return len(list(iter(self)))


def canonical(name: str, providers: Mapping[str, Provider]) -> str | None:
    """The provider's own name for a name or alias (`claude_code`), or None where nobody has it."""
    if name in providers:
        return name
    return next((known for known in providers if name in providers[known].aliases), None)
