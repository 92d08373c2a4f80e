"""From what a verb asks to what shall be: edited resources, what follows from them, and the books beside them.

Everything here is derived from the catalog as it is now, so a verb that is planned again under the lock, or run again
after a crash, finds what is left to do and no more.
"""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.app import holding
from reconciler.app.ask import Ask, Release, Said
from reconciler.app.compose import Composer, Recorded, recorded
from reconciler.app.session import Session
from reconciler.app.write_back import Write
from reconciler.declare import hold
from reconciler.declare.judge import identity
from reconciler.engine import absence, order
from reconciler.engine.handler import Asked, Books, Held, HeldAbsent
from reconciler.engine.holding import instant, short
from reconciler.engine.rows import request_key
from reconciler.model import names
from reconciler.model.action import Code, Reason
from reconciler.model.errors import GuardRefused, ReconcilerError, UsageFault
from reconciler.model.json import Json
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.catalog import InventoryRow


class NotRecorded(ReconcilerError):
    """A verb names what this overlay does not have."""

    code = "resource.not_found"


def not_recorded(ref: Ref, absent: HeldAbsent | None = None) -> NotRecorded:
    """The error, with what to do."""
    if absent is not None:
        return NotRecorded(
            f"{ref} was deleted: {absence.sentence(absent)}",
            hint=f"`houmao release {ref.kind.lower()}/{ref.name}` ends that, and the next apply makes it",
            ref=str(ref),
        )
    return NotRecorded(
        f"{ref} is not recorded in this overlay",
        hint=f"`houmao get {ref.kind.lower()}s` lists what there is; `houmao create` makes it",
        ref=str(ref),
    )


class Intention(NamedTuple):
    """What shall be, and how far it goes."""

    declared: Mapping[Ref, Resource]
    scope: frozenset[Ref]
    follows: frozenset[Ref]
    books: Mapping[Ref, Books]
    held: Mapping[Ref, tuple[Held, ...]]
    owned: tuple[Ref, ...]
    """What something in `scope` is recorded to own: it may own less now."""
    asked: Mapping[Ref, Asked]
    absent: Mapping[Ref, HeldAbsent]
    """What is held absent, and is not itself what is asked for."""
    released: Mapping[Ref, HeldAbsent]
    writes: tuple[Write, ...]
    said: Said


def intend(session: Session, ask: Ask, reader: Reader) -> Intention:
    """Compare what is asked with what was last applied."""
    found = _Finder(session, ask, reader)
    for edit in ask.edits:
        found.must_be(edit.ref)
    new = found.composer.edited(ask.edits) | found.composer.documents(ask.documents, ask.base)
    for ref, content in ask.contents.items():
        new[ref].contents = (*new[ref].contents, content)
    named = {edit.ref for edit in ask.edits} | {identity(document) for document in ask.documents}
    for ref in sorted(new.keys() & named):
        found.change(ref, new)
    if ask.release is not None:
        found.release(ask.release)
    if ask.relaunch is not None:
        for ref in ask.relaunch.refs:
            found.must_be(ref)
            found.relaunch(ref)
    if ask.restore is not None:
        from reconciler.app import rollout_undo

        back = rollout_undo.way_back(reader, found.known, found.composer.kinds, ask.restore)
        found.take_over(back.resources, back.lines)
    for ref in ask.again:
        found.must_be(ref)
        found.take_over({ref: found.known.last[ref]}, ())
    return found.intention()


class _Finder:
    """Collects one intention."""

    def __init__(self, session: Session, ask: Ask, reader: Reader) -> None:
        self.ask = ask
        self.reader = reader
        self.known: Recorded = recorded(reader)
        self.rows: Mapping[Ref, InventoryRow] = self.known.rows
        self.composer = Composer(session, reader, self.known)
        self.by = reader.environ.get("USER") or "unknown"
        now = reader.clock.now_utc()
        self.held = {ref: tuple(found) for ref, found in holding.recorded(reader).items()}
        self.lapsed = {ref: tuple(h for h in found if h.until <= now) for ref, found in self.held.items()}
        self.wanted: dict[Ref, Resource] = {}
        self.put: dict[Ref, list[Held]] = {}
        self.drop: dict[Ref, list[str]] = {}
        self.reasons: dict[Ref, list[Reason]] = {}
        self.asked: dict[Ref, Asked] = {}
        self.absent = holding.absences(reader)
        self.released: dict[Ref, HeldAbsent] = {}
        self.writes: list[Write] = []
        self.lines: list[str] = []

    def must_be(self, ref: Ref) -> None:
        """Refuse a ref that is not recorded, or that another one writes."""
        row = self.rows.get(ref)
        if row is None:
            raise not_recorded(ref, self.absent.get(ref))
        if row.live.get("derived") == "1":
            owner = next((one.ref for one in self.rows.values() if one.uid == row.owner), None)
            raise UsageFault(
                f"{ref} is derived by {owner or 'another resource'}, which writes it",
                hint=f"change {owner} instead" if owner else "change its owner",
                code="usage.derived",
            )

    def change(self, ref: Ref, new: Mapping[Ref, Resource]) -> None:
        """Take over one changed or new resource, by the way that its fields' manager asks for."""
        resource, row = new[ref], self.rows.get(ref)
        children = {one.ref: one for one in new.values() if one.owner == ref}
        if row is None:
            self.wanted |= {ref: resource, **children}
            if resource.owner is None:
                self.lines.append(f"{ref}: new, in apply set {names.IMPERATIVE!r}")
            return
        if self.ask.fresh:
            raise UsageFault(
                f"{ref} is there already, in apply set {row.apply_set!r}",
                hint="choose another name, or change it with `houmao set` or `houmao patch`",
                code="usage.exists",
            )
        last = self.known.last[ref]
        paths = hold.differing(last, resource)
        if row.apply_set == names.IMPERATIVE and row.owner is None:
            self.wanted |= {ref: resource, **children}
            self.lines += [self._line(ref, path, last, resource) for path in paths]
            return
        self._managed(ref, row, last, resource, paths)
        # Also where it says so already: an earlier run may not have come to what follows from it.
        self.wanted |= {ref: resource if paths else last, **children}

    def _managed(self, ref: Ref, row: InventoryRow, last: Resource, new: Resource, paths: Sequence[str]) -> None:
        """A field that a manifest declares: held, written back, or refused (R-IMP-2)."""
        way = self.ask.way
        held = {one.path: one for one in self.held.get(ref, ())}
        touched = list(paths)
        if way.ttl_s is not None or way.write_back:
            # An override that is told how long lasts so long, whatever it was before.
            touched += [path for path in self._named(ref) if path in held and path not in paths]
        if way.write_back:
            for path in touched:
                before = held[path].declared if path in held else hold.value_at(last, path)
                self.writes.append(Write(ref, row, path, before, hold.value_at(new, path), self._given(ref, path)))
                self.lines.append(f"{self._line(ref, path, last, new)}, written to its file")
            ending = [path for path in touched if path in held]
            if ending:
                self.drop.setdefault(ref, []).extend(ending)
                text = f"{', '.join(ending)} {'is' if len(ending) == 1 else 'are'} declared now, and held no more"
                self.reasons.setdefault(ref, []).append(Reason(Code.OVERRIDE_RELEASED, text))
                self.wanted.setdefault(ref, new)
            return
        if way.declared:
            self.lines += [f"{self._line(ref, path, last, new)}, edited in its file" for path in paths]
            self.drop.setdefault(ref, []).extend(path for path in paths if path in held)
            return
        if not way.override and not way.implied:
            if paths:
                raise _managed_by_manifest(ref, row, paths)
            return
        for path in touched:
            if hold.is_content(hold.value_at(new, path)) or hold.is_content(hold.value_at(last, path)):
                raise GuardRefused(
                    f"{ref}.{path} stands for bytes, which cannot be held",
                    hint=f"edit the file that it is declared in ({row.position or 'unknown'})",
                    code="guard.content",
                    ref=str(ref),
                )
            self._hold(ref, path, last, new, held.get(path))

    def _hold(self, ref: Ref, path: str, last: Resource, new: Resource, before: Held | None) -> None:
        assert self.ask.until is not None
        declared = before.declared if before is not None else hold.value_at(last, path)
        value = hold.value_at(new, path)
        if before is not None and before.value == value and before.until >= self.ask.until and path in self._same(ref):
            return
        one = Held(path, value, self.by, self.ask.until, declared, declared)
        self.put.setdefault(ref, []).append(one)
        text = f"{path} is held at {short(value)} until {instant(one.until)}, declared {short(declared)}"
        self.reasons.setdefault(ref, []).append(Reason(Code.HELD, text, (f"{ref}.{path}",)))
        self.wanted.setdefault(ref, new)
        line = self._line(ref, path, last, new) if value != hold.value_at(last, path) else f"{ref}: {path}"
        self.lines.append(f"{line}, override by {self.by} until {instant(one.until)}")

    def _same(self, ref: Ref) -> tuple[str, ...]:
        """Paths held already as this run would hold them."""
        return tuple(one.path for one in self.held.get(ref, ()) if one.until == self.ask.until)

    def _named(self, ref: Ref) -> tuple[str, ...]:
        """Paths that the edit of a ref names, changed or not."""
        return tuple(path for edit in self.ask.edits if edit.ref == ref for path in _paths(edit.patch, ""))

    def _given(self, ref: Ref, path: str) -> Json:
        """A value as the verb was given it (`90s`, not 90000), where it names that very path."""
        for edit in reversed(self.ask.edits):
            if edit.ref == ref:
                value = value_in(edit.patch, path)
                if value is not None:
                    return value
        return None

    def _line(self, ref: Ref, path: str, last: Resource, new: Resource) -> str:
        return f"{ref}: {path} {short(hold.value_at(last, path))} -> {short(hold.value_at(new, path))}"

    def release(self, asked: Release) -> None:
        """Put the declared values back where an override ends."""
        for ref in asked.refs:
            if ref not in self.rows and (ref in self.absent or ref in asked.ended):
                self._release_absent(ref, asked)
                continue
            self.must_be(ref)
            ending = [one for one in self.held.get(ref, ()) if not asked.paths or one.path in asked.paths]
            if not ending:
                continue
            self.drop.setdefault(ref, []).extend(one.path for one in ending)
            self.wanted.setdefault(ref, self.known.last[ref])
            self._lay(ref, [(one.path, one.declared) for one in ending])
            for one in ending:
                text = f"the override of {one.path} by {one.by} is released; declared {short(one.declared)}"
                self.reasons.setdefault(ref, []).append(Reason(Code.OVERRIDE_RELEASED, text, (f"{ref}.{one.path}",)))
                self.lines.append(f"{ref}: {one.path} {short(one.value)} -> {short(one.declared)}, released")

    def _release_absent(self, ref: Ref, asked: Release) -> None:
        """What is not there is not made by this: only the file that declares it says what it is."""
        one = self.absent.get(ref)
        if one is not None and not asked.paths:
            self.released[ref] = one
            self.lines.append(f"{ref}: {absence.sentence(one)}, released; the next apply makes it")

    def relaunch(self, ref: Ref) -> None:
        """Ask for it once: what was done by this request is not done again (R-IMP-5)."""
        assert self.ask.relaunch is not None
        if ref.kind != "Instance":
            raise UsageFault(f"{ref} is no agent", hint="relaunch takes instances", code="usage.kind")
        row, request = self.rows[ref], self.ask.relaunch.id
        key = request_key(request, row.uid)
        before = self.reader.catalog.requests([key]).get(key)
        if before is not None and before.state == "done":
            self.lines.append(f"{ref}: request {request} was done already")
            return
        token = before.args.get("token") if before is not None else None
        begun = token if isinstance(token, int) else None
        self.asked[ref] = Asked(request, self.by, begun, self.ask.relaunch.resume, self.ask.relaunch.rolling)
        self.wanted.setdefault(ref, self.known.last[ref])
        self.lines.append(f"{ref}: relaunch (request {request})")

    def take_over(self, resources: Mapping[Ref, Resource], lines: Iterable[str]) -> None:
        """Resources as they shall be, with what they generate; what is held of them stays held."""
        now = self.reader.clock.now_utc()
        for ref, resource in sorted(resources.items()):
            held = [(one.path, one.value) for one in self.held.get(ref, ()) if one.until > now]
            own = hold.generated(resource, self.known.last, self.composer.kinds)
            self.wanted |= hold.laid_over({**own, ref: resource}, {ref: held}, self.composer.kinds)
        self.lines += lines

    def intention(self) -> Intention:
        """Everything together."""
        for ref in list(self.wanted):
            kept = {one.path for one in self.put.get(ref, ())} | set(self.drop.get(ref, ()))
            back = [(one.path, one.declared) for one in self.lapsed.get(ref, ()) if one.path not in kept]
            if back:
                self._lay(ref, back)
        for ref, one in list(self.wanted.items()):
            if one.owner in self.wanted and not one.derived and ref not in self.put and ref not in self.drop:
                # What its owner generates anew does not know what is held of it.
                now = self.reader.clock.now_utc()
                self._lay(ref, [(held.path, held.value) for held in self.held.get(ref, ()) if held.until > now])
        scope = frozenset(self.wanted)
        follows = self._followers(scope)
        declared = {ref: self.known.last[ref] for ref in follows} | self.wanted
        for ref in follows:
            declared |= {one.ref: one for one in self.known.last.values() if one.owner == ref and one.derived}
        books = {
            ref: Books(tuple(self.put.get(ref, ())), tuple(self.drop.get(ref, ())), tuple(self.reasons.get(ref, ())))
            for ref in {*self.put, *self.drop, *self.reasons}
        }
        kind = "action" if self.ask.relaunch is not None else "patch"
        return Intention(
            dict(sorted(declared.items())),
            scope,
            follows,
            books,
            {ref: self._still_held(ref) for ref in scope if ref in self.held},
            tuple(ref for ref, one in self.known.last.items() if one.owner in scope),
            self.asked,
            {ref: one for ref, one in self.absent.items() if ref not in self.wanted or self.wanted[ref].owner},
            self.released,
            tuple(self.writes),
            Said(kind, tuple(self.lines)),
        )

    def _lay(self, ref: Ref, values: Sequence[tuple[str, Json]]) -> None:
        """Lay values over a wanted resource; what it generates follows."""
        own = {one.ref: one for one in self.known.last.values() if one.owner == ref}
        self.wanted |= hold.laid_over({**own, ref: self.wanted[ref]}, {ref: values}, self.composer.kinds)

    def _still_held(self, ref: Ref) -> tuple[Held, ...]:
        gone = {*self.drop.get(ref, ()), *(one.path for one in self.put.get(ref, ()))}
        return tuple(one for one in self.held[ref] if one.path not in gone)

    def _followers(self, scope: frozenset[Ref]) -> frozenset[Ref]:
        """Whoever is made of what changes, through any number of others."""
        edges = {ref: tuple(edge.to for edge in found.edges) for ref, found in self.known.last.items()}
        users = order.reversed_edges(edges)
        derived: dict[Ref, list[Ref]] = {}
        for found in self.known.last.values():
            if found.owner is not None and found.derived:
                derived.setdefault(found.owner, []).append(found.ref)
        stack, met = list(scope), set(scope)
        while stack:
            ref = stack.pop()
            for user in (*users.get(ref, ()), *derived.get(ref, ())):
                if user not in met and user in self.known.last:
                    met.add(user)
                    stack.append(user)
        return frozenset(ref for ref in met - scope if not self.known.last[ref].derived)


def value_in(patch: Json, path: str) -> Json:
    """What a merge patch has at a path; keys may have dots in them."""
    if not isinstance(patch, dict):
        return None
    for key, value in patch.items():
        if path == key:
            return value
        if path.startswith(f"{key}.") and (found := value_in(value, path.removeprefix(f"{key}."))) is not None:
            return found
    return None


def _paths(patch: Json, prefix: str) -> Iterable[str]:
    """Every path a merge patch names, and each of its beginnings."""
    if isinstance(patch, dict):
        for key, value in patch.items():
            path = f"{prefix}.{key}" if prefix else key
            yield path
            yield from _paths(value, path)


def _managed_by_manifest(ref: Ref, row: InventoryRow, paths: Sequence[str]) -> GuardRefused:
    where = row.position or "its manifest"
    listed = ", ".join(paths[:5])
    return GuardRefused(
        f"{listed} of {ref} {'is' if len(paths) == 1 else 'are'} declared in {where} (apply set {row.apply_set!r})",
        hint="--write-back edits that file and applies it; --override[=TTL] holds the value for a while (1h); "
        "or edit the file yourself and apply it",
        code="guard.managed",
        ref=str(ref),
    )
