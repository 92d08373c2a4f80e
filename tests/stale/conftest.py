"""Old news: each source of an observation can be served from an earlier moment of the same world."""

from collections.abc import Callable
from typing import NamedTuple, cast

from reconciler.app.settings import Settings
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import Catalog
from reconciler.ports.process import Process, ProcessFacts
from reconciler.ports.registry import Registry
from reconciler.ports.tmux import Tmux
from reconciler.testing.fake_world import FakeWorld

LOOKS = {
    "tmux": ("listing", "capture", "environment"),
    "registry": ("scan",),
    "process": ("facts", "bearing", "children", "boot_id"),
    "catalog": ("inventory", "intents", "definitions", "bundles", "attempts", "revision"),
}
"""What of each port is an observation; whatever acts goes to the present."""


class News(NamedTuple):
    """The answers of one moment, by port, question and arguments."""

    name: str
    answers: dict[tuple[str, str, str], object]


class StaleWorld(FakeWorld):
    """A fake world that remembers moments, and can answer with one of them from then on."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[News] = []
        self.serving: tuple[str, News] | None = None
        self.also: tuple[str, News] | None = None
        """A second source of old news, perhaps of another moment."""
        self.served = 0
        self.killed: list[str] = []
        """Sessions and processes that the program ended, in words; what people do to the world is not among them."""

    def remember(self, name: str) -> None:
        """Keep this moment."""
        self.moments.append(News(name, _taken(self)))

    def reader(self, settings: Settings) -> Reader:
        found = super().reader(settings)
        return self._aged(found)

    def ports(self, settings: Settings) -> Ports:
        found = super().ports(settings)
        aged = self._aged(found.reader())
        return found._replace(
            catalog=cast(Catalog, aged.catalog),
            registry=cast(Registry, aged.registry),
            tmux=cast(Tmux, aged.tmux),
            process=cast(Process, aged.process),
        )

    def _aged(self, reader: Reader) -> Reader:
        for port, news in filter(None, (self.serving, self.also)):
            reader = reader._replace(**{port: _Aged(self, getattr(reader, port), port, news)})
        return reader


class _Aged:
    """One port: looks see the moment that is served, acts meet the present."""

    def __init__(self, world: StaleWorld, port: object, name: str, news: News) -> None:
        self._world = world
        self._port = port
        self._name = name
        self._news = news

    def __getattr__(self, name: str) -> object:
        found = getattr(self._port, name)
        if name not in LOOKS[self._name]:
            return found

        def look(*args: object, **named: object) -> object:
            del named
            if name in ("bundles", "facts", "bearing"):
                (asked,) = args
                args = (sorted(cast("list[object]", list(cast("set[object]", asked)))),)
            answer = _answer(self._name, name, args, self._news, cast("Callable[..., object]", found))
            self._world.served += 1
            return answer

        return look


def _answer(port: str, name: str, args: tuple[object, ...], news: News, now: Callable[..., object]) -> object:
    """What was true then; of what was not there to be asked about then, what is true now."""
    key = (port, name, repr(args))
    if name in ("facts", "bearing"):
        table = cast("dict[object, object]", news.answers[port, name, "all"])
        fresh = cast("dict[object, object]", now(*args))
        return {one: table.get(one, fresh[one]) for one in cast("list[object]", args[0])}
    if key in news.answers:
        return news.answers[key]
    return now(*args)


def _taken(world: StaleWorld) -> dict[tuple[str, str, str], object]:
    """Every answer that an observation could ask for now."""
    reader = world._reader(world.settings)
    taken: dict[tuple[str, str, str], object] = {
        ("tmux", "listing", "()"): world.tmux.listing(),
        ("registry", "scan", "()"): reader.registry.scan(),
        ("process", "boot_id", "()"): world.process.boot_id(),
        ("catalog", "inventory", "()"): reader.catalog.inventory(),
        ("catalog", "intents", "()"): reader.catalog.intents(),
        ("catalog", "attempts", "()"): reader.catalog.attempts(),
        ("catalog", "revision", "()"): reader.catalog.revision(),
    }
    for kind in (
        "Role",
        "Recipe",
        "Specialist",
        "Skill",
        "Setup",
        "AuthProfile",
        "LaunchProfile",
        "Project",
        "InstanceSet",
    ):
        taken["catalog", "definitions", repr((kind,))] = reader.catalog.definitions(kind)
    for pane in world.panes:
        for variable in ("HOUMAO_UID",):
            taken["tmux", "environment", repr((pane.session_id, variable))] = world.tmux.environment(
                pane.session_id, variable
            )
        taken["tmux", "capture", repr((pane.pane_id,))] = world.tmux.capture(pane.pane_id)
    uids = sorted({row.uid for row in reader.catalog.inventory()})
    taken["process", "bearing", "all"] = dict(cast("dict[object, object]", world.process.bearing(uids)))
    seen = world.process.facts(range(1000, 1200))
    taken["process", "facts", "all"] = {pid: one for pid, one in seen.items() if isinstance(one, ProcessFacts)}
    return taken


__all__ = ["LOOKS", "News", "StaleWorld"]
