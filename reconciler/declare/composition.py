"""Composition (`-k`): an `Overlay` document names bases and resources, and changes what they declare (R-LOAD-6).

A directory holds one `overlay.yaml`. Its result is the documents of its bases, each composed in the same way, and of
its resources; then, in this order: patches are merged, names prefixed with the references to them, and labels added.
Last of all, variables are put in. What comes out are documents again (`Composed`), each value still knowing the file
and line that wrote it.
"""

import posixpath

from reconciler.declare import content, origin, variables
from reconciler.declare.catalogue import OVERLAY, Catalogue
from reconciler.declare.compile import home_of
from reconciler.declare.desired import Gathered
from reconciler.declare.inputs import Reading, Root, Source, TextFile, gather, unreadable
from reconciler.declare.judge import identity
from reconciler.declare.merge import Composed, merge
from reconciler.declare.node import values_at
from reconciler.declare.overlay import FILE_NAMES, MODEL
from reconciler.model.errors import Problem, ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, name_fault
from reconciler.model.resource import Path, Position, dotted
from reconciler.model.tuples import NamedTuple


class Part(NamedTuple):
    """One document inside a composition, and the variables in force for it: an outer overlay's value wins."""

    written: Composed
    home: "Homes"
    values: dict[str, str]


class Homes(content.HomeOf):
    """Relative paths of a composed document begin beside the file that wrote them."""

    __slots__ = ("_written",)

    def __init__(self, home: content.Home, written: Composed) -> None:
        super().__init__(home)
        self._written = written

    def __call__(self, path: Path) -> content.Home:
        return self._written.home(path)


def build(source: Source, reading: Reading, kinds: Catalogue) -> tuple[list[Gathered], list[Root]]:
    """The documents of a composition directory, and its root."""
    given = source.composition or "."
    path = posixpath.normpath(posixpath.join(source.cwd, given))
    builder = Builder(reading, kinds, source.cwd)
    try:
        stamp = reading.stamp(path)
    except ReconcilerError as error:
        reading.problems.append(unreadable(given, error))
        return [], []
    shown = posixpath.normpath(given)
    if stamp is None or not stamp.is_dir:
        message = f"{shown} " + ("does not exist" if stamp is None else "is not a directory")
        hint = "name a directory that has an overlay.yaml"
        reading.problems.append(Problem("declare.root.missing", message, hint, Position(shown, 1, 1), rule="R-LOAD-10"))
        return [], []
    real = reading.real(path)
    tree = origin.work_tree(real, reading.files)
    # Bases are commonly siblings: the work tree bounds them, or without one the directory above.
    builder.bound = tree.top if tree is not None else posixpath.dirname(real)
    parts = builder.directory(path, shown, (), None)
    builder.substitute(parts)
    root = Root(given, real, True, real)
    return [Gathered(part.written, part.home, real) for part in parts], [root]


class Builder:
    """One composition; `bound` is the directory that bases and resources must not leave."""

    def __init__(self, reading: Reading, kinds: Catalogue, cwd: str) -> None:
        self.reading = reading
        self.kinds = kinds
        self.cwd = cwd
        self.bound = "/"
        self._holes = False
        """Something could not be read: what is missing may have been in it."""

    def directory(self, path: str, shown: str, above: tuple[str, ...], named: Position | None) -> list[Part]:
        """Everything a composition directory gives; `above` are the real directories that are being composed."""
        real = self.reading.real(path)
        if real in above:
            ring = " → ".join((*above[above.index(real) :], real))
            self._problem(
                "declare.overlay.cycle",
                f"bases name one another: {ring}",
                "remove one of them",
                named,
                "bases",
                "R-VAL-3",
            )
            return []
        overlay = self._overlay(path, shown, named)
        if overlay is None:
            self._holes = True
            return []
        spec = overlay.value.get("spec", {})
        assert isinstance(spec, dict)
        parts: list[Part] = []
        for at, name in enumerate(_texts(spec.get("bases"))):
            where = overlay.position(("spec", "bases", at))
            base = posixpath.normpath(posixpath.join(path, name))
            if self._inside(base, name, where, f"spec.bases[{at}]"):
                parts += self.directory(base, posixpath.normpath(posixpath.join(shown, name)), (*above, real), where)
        parts += self._resources(path, shown, real, overlay, spec)
        given = spec.get("vars")
        values = {name: str(value) for name, value in given.items()} if isinstance(given, dict) else {}
        for part in parts:
            part.values.update(values)
        self._patches(path, shown, real, overlay, spec, parts)
        self._prefix(overlay, spec, parts)
        self._labels(spec, parts)
        return parts

    # ---- reading ------------------------------------------------------------------------------------------------

    def _overlay(self, path: str, shown: str, named: Position | None) -> Composed | None:
        """The overlay document of a directory, validated."""
        real = self.reading.real(path)
        root = Root(shown, real, listed=True, where=real)
        try:
            names = [name for name in self.reading.names(path) if name in FILE_NAMES]
        except ReconcilerError as error:
            self.reading.problems.append(unreadable(shown, error))
            return None
        if len(names) != 1:
            message = f"{shown} has no overlay.yaml" if not names else f"{shown} has {' and '.join(names)}"
            hint = "add one with kind: Overlay" if not names else "keep one of them"
            self._problem("declare.overlay.missing", message, hint, named or Position(shown, 1, 1), "", "R-LOAD-6")
            return None
        file = TextFile(posixpath.join(path, names[0]), posixpath.join(shown, names[0]), root)
        before = len(self.reading.problems)
        documents = self.reading.documents(file)
        if len(self.reading.problems) > before:
            return None
        if len(documents) != 1 or documents[0].value.get("kind") != OVERLAY:
            message = f"{file.shown} must hold one document, of kind {OVERLAY}"
            self._problem(
                "declare.overlay.kind", message, "see explain Overlay", Position(file.shown, 1, 1), "kind", "R-LOAD-6"
            )
            return None
        overlay = Composed(documents[0], home_of(file))
        faults = MODEL.document_faults(overlay.value)
        for fault in faults:
            position = overlay.key_position(fault.path) if fault.at_key else overlay.position(fault.path)
            self._problem(fault.code, fault.message, fault.hint, position, dotted(fault.path), fault.rule)
        return None if faults else overlay

    def _resources(self, path: str, shown: str, real: str, overlay: Composed, spec: JsonMap) -> list[Part]:
        parts: list[Part] = []
        for at, name in enumerate(_texts(spec.get("resources"))):
            where = overlay.position(("spec", "resources", at))
            file = posixpath.normpath(posixpath.join(path, name))
            if not self._inside(file, name, where, f"spec.resources[{at}]", below=real):
                self._holes = True
                continue
            if name.rpartition("/")[2] in FILE_NAMES:
                hint = "name its directory among the bases"
                self._problem(
                    "declare.overlay.nested",
                    f"{name} is itself an overlay",
                    hint,
                    where,
                    f"spec.resources[{at}]",
                    "R-LOAD-6",
                )
                continue
            label = posixpath.normpath(posixpath.join(shown, name))
            for found in gather(Source((label,), recursive=True, cwd=self.cwd), self.reading)[0]:
                if found.path.rpartition("/")[2] in FILE_NAMES:
                    continue
                inside = found._replace(root=Root(shown, real, listed=True, where=real))
                for document in self.reading.documents(inside):
                    written = Composed(document, home_of(inside))
                    parts.append(Part(written, Homes(home_of(inside), written), {}))
        return parts

    def _inside(self, path: str, name: str, where: Position, field: str, below: str | None = None) -> bool:
        bound = below or self.bound
        try:
            if self.reading.stamp(path) is None:
                hint = "paths begin at the overlay's directory"
                self._problem("declare.content.missing", f"{name} does not exist", hint, where, field, "R-LOAD-8")
                return False
            real = self.reading.real(path)
        except ReconcilerError as error:
            self._problem(
                "declare.content.unreadable",
                f"{name} cannot be read: {error.message}",
                error.hint,
                where,
                field,
                "R-LOAD-8",
            )
            return False
        if real == bound or real.startswith(bound.rstrip("/") + "/"):
            return True
        self._problem(
            "declare.path.escape",
            f"{name} leads out of the source root {bound}",
            "keep it inside",
            where,
            field,
            "R-LOAD-8",
        )
        return False

    # ---- changing -----------------------------------------------------------------------------------------------

    def substitute(self, parts: list[Part]) -> None:
        """Put variables into texts, once everything is merged."""
        for part in parts:
            for path, name in variables.substitute(part.written.value, part.values):
                hint = f"declare it in vars of the overlay, or write $${{{name}}} for the text itself"
                position = part.written.position(path)
                message = f"the variable {name!r} is not declared"
                self._problem("declare.variable.undefined", message, hint, position, dotted(path), "R-LOAD-7")

    def _patches(self, path: str, shown: str, real: str, overlay: Composed, spec: JsonMap, parts: list[Part]) -> None:
        patches = spec.get("patches", [])
        for at, patch in enumerate(patches if isinstance(patches, list) else []):
            if not isinstance(patch, dict):
                continue
            name = patch.get("path")
            if isinstance(name, str):
                where = overlay.position(("spec", "patches", at, "path"))
                file = posixpath.normpath(posixpath.join(path, name))
                if self._inside(file, name, where, f"spec.patches[{at}].path", below=real):
                    label = posixpath.normpath(posixpath.join(shown, name))
                    text = TextFile(file, label, Root(shown, real, listed=True, where=real))
                    for document in self.reading.documents(text):
                        self._patch(Composed(document, home_of(text)), (), parts)
            else:
                self._patch(overlay, ("spec", "patches", at, "merge"), parts)

    def _patch(self, patch: Composed, at: Path, parts: list[Part]) -> None:
        value: Json = patch.value
        for step in at:
            value = value[step]  # type: ignore[index]
        ref = identity(value)
        targets = [part for part in parts if ref is not None and identity(part.written.value) == ref]
        if ref is None or not isinstance(value, dict) or not targets:
            if ref is not None and self._holes:
                return
            message = f"there is no {ref} to patch" if ref else "a patch names its target by kind and metadata.name"
            hint = "patches see names before this overlay's own prefix" if ref else "add both"
            self._problem("declare.overlay.patch", message, hint, patch.position(at), dotted(at), "R-LOAD-6")
            return
        schema = self.kinds.schema(ref.kind)
        for part in targets:
            merge(part.written, value, schema.root if schema else None, patch, at)

    def _prefix(self, overlay: Composed, spec: JsonMap, parts: list[Part]) -> None:
        prefix = spec.get("namePrefix")
        if not isinstance(prefix, str) or not prefix:
            return
        renamed = {ref for part in parts if (ref := identity(part.written.value)) is not None}
        made = {Ref("Role", ref.name) for ref in renamed if ref.kind == "Specialist"}
        for part in parts:
            ref = identity(part.written.value)
            if ref is None:
                continue
            why = name_fault(prefix + ref.name)
            if why is not None and name_fault(ref.name) is None:
                where = overlay.position(("spec", "namePrefix"))
                message = f"{ref} would be called {prefix + ref.name!r}, which {why}"
                self._problem("declare.name", message, "choose another prefix", where, "spec.namePrefix", "R-MOD-4")
            metadata = part.written.value["metadata"]
            assert isinstance(metadata, dict)
            metadata["name"] = prefix + ref.name
            self._references(part, prefix, renamed, made)

    def _references(self, part: Part, prefix: str, renamed: set[Ref], made: set[Ref]) -> None:
        schema = self.kinds.schema(str(part.written.value.get("kind")))
        if schema is None:
            return
        for spot in schema.ref_spots:
            kind = spot.member.meta.ref or ""
            for found in values_at(part.written.value.get("spec"), spot.path):
                value = found.value
                holder, name = (value, value.get("name")) if isinstance(value, dict) else (None, value)
                if not isinstance(name, str):
                    continue
                before, slash, bare = name.rpartition("/")
                ref = Ref(before if kind == "*" else kind, bare)
                derived = ref.kind == "Recipe" and any(
                    bare.startswith(f"{each.name}-") for each in renamed if each.kind == "Specialist"
                )
                if ref not in renamed and ref not in made and not derived:
                    continue
                if holder is not None:
                    holder["name"] = prefix + name
                else:
                    found.put(f"{before}{slash}{prefix}{bare}")

    @staticmethod
    def _labels(spec: JsonMap, parts: list[Part]) -> None:
        labels = spec.get("commonLabels")
        if not isinstance(labels, dict) or not labels:
            return
        for part in parts:
            metadata = part.written.value.get("metadata")
            if isinstance(metadata, dict):
                own = metadata.get("labels")
                metadata["labels"] = {**(own if isinstance(own, dict) else {}), **labels}

    def _problem(self, code: str, message: str, hint: str, position: Position | None, path: str, rule: str) -> None:
        self.reading.problems.append(Problem(code, message, hint, position, path, rule))


def _texts(value: Json) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
