"""What a process that compiles the same source again and again keeps of the last time: files as they were parsed.

A file is parsed again unless its content has the digest it had, and the port reads a file again for its digest unless
its stamp proves that nothing changed. What was made of one document alone is kept with it: it goes when the document
goes. Nothing is kept of what depends on other documents, nor of a file that was not asked for in the last compile.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.model.errors import Problem
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from reconciler.declare.bind import Place
    from reconciler.declare.desired import Declared
    from reconciler.declare.places import Written
    from reconciler.declare.reader import Document
    from reconciler.model.json import Json


class Parsed(NamedTuple):
    """One file: the digest of the bytes that were parsed, its name in positions, and what came of it."""

    digest: str
    shown: str
    documents: "list[Document]"
    problems: list[Problem]


class Made(NamedTuple):
    """The resources of one document before they are bound, the defaults that were filled in, where each was written."""

    written: "Written"
    defaults: "Json"
    resources: "tuple[tuple[Declared, Place], ...]"


class Memo:
    """Of one source. `parsed` counts the files that the compile under way, or the last one, had to parse."""

    __slots__ = ("_clean", "_files", "_made", "_rules", "_was", "parsed")

    def __init__(self) -> None:
        self._files: dict[str, Parsed] = {}
        self._was: dict[str, Parsed] = {}
        self._clean: dict[int, Written] = {}
        self._made: dict[int, Made] = {}
        self._rules: tuple[Mapping[str, object], str] | None = None
        self.parsed = 0

    def begin(self, providers: Mapping[str, object], strict: str) -> None:
        """A compile begins; by other rules than the last one, it finds nothing."""
        # The very same ones: comparing would import each of them.
        if self._rules is None or self._rules[0] is not providers or self._rules[1] != strict:
            self._files, self._clean, self._made, self._rules = {}, {}, {}, (providers, strict)
        # One that was broken off left both halves filled.
        self._was = {**self._was, **self._files}
        self._files = {}
        self.parsed = 0

    def end(self) -> None:
        """It is over: what it did not ask for is forgotten."""
        self._was = {}
        here = {id(document) for file in self._files.values() for document in file.documents}
        self._clean = {key: found for key, found in self._clean.items() if key in here}
        self._made = {key: found for key, found in self._made.items() if key in here}

    def __len__(self) -> int:
        """How many files are kept."""
        return len(self._files.keys() | self._was.keys())

    def file(self, path: str, shown: str, digest: str) -> Parsed | None:
        """The file as it was parsed, if it is that content, shown by that name."""
        found = self._files.get(path) or self._was.get(path)
        if found is None or found.digest != digest or found.shown != shown:
            return None
        self._files[path] = found
        return found

    def keep_file(self, path: str, parsed: Parsed) -> None:
        """A file that was parsed."""
        self.parsed += 1
        self._files[path] = parsed

    def is_clean(self, written: "Written") -> bool:
        """Whether nothing was wrong with the document by itself."""
        return self._clean.get(id(written)) is written

    def keep_clean(self, written: "Written") -> None:
        """Nothing is."""
        self._clean[id(written)] = written

    def made(self, written: "Written", defaults: "Json") -> "Made | None":
        """What was made of the document with these defaults."""
        found = self._made.get(id(written))
        return found if found is not None and found.written is written and found.defaults == defaults else None

    def keep_made(self, made: Made) -> None:
        """Resources that follow from the document and the defaults alone."""
        self._made[id(made.written)] = made
