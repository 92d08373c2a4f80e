"""A directory of declarations to compile: files by name, over the real file system."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reconciler.adapters.files_local import LocalFiles
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.compile import Compiled, Source, Validate, compile_source
from reconciler.declare.memo import Memo
from reconciler.model.errors import Problem
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource

KINDS = Catalogue()
HEAD = "apiVersion: houmao/v1alpha1\n"


class Facts(NamedTuple):
    """A provider as loading sees it."""

    name: str
    credential_names: frozenset[str]


PROVIDERS = {
    name: Facts(name, frozenset(variables))
    for name, variables in {
        "echo": ["ECHO_API_KEY"],
        "claude": ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
        "codex": ["OPENAI_API_KEY"],
        "gemini": ["GEMINI_API_KEY"],
    }.items()
}


def doc(kind: str, name: str, spec: str, metadata: str = "") -> str:
    """One document in the common layout: apiVersion 1, kind 2, metadata 3, spec 4."""
    return f"{HEAD}kind: {kind}\nmetadata: {{name: {name}{metadata}}}\nspec: {spec}\n"


def docs(*each: str) -> str:
    """Documents in one file; each has four lines and a separator."""
    return "---\n".join(each)


class Directory:
    """Files to declare from, below a directory of the test's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = LocalFiles()
        self.catalog: set[Ref] = set()
        self.strict = Validate.STRICT
        self.memo: Memo | None = None

    def put(self, files: Mapping[str, str | bytes]) -> "Directory":
        """Write files, with their directories."""
        for name, content in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                target.write_text(content)
        return self

    def source(self, source: Source) -> Compiled:
        """Compile; relative paths begin at the directory."""
        return compile_source(
            source._replace(cwd=str(self.path)),
            files=self.files,
            kinds=KINDS,
            providers=PROVIDERS,
            known=lambda ref: ref in self.catalog,
            strict=self.strict,
            memo=self.memo,
        )

    def compiled(self, *paths: str, recursive: bool = False) -> Compiled:
        """`-f` each path, or the directory itself."""
        return self.source(Source(paths or (".",), recursive))

    def composed(self, path: str) -> Compiled:
        """`-k` a directory."""
        return self.source(Source(composition=path))


def told(problems: tuple[Problem, ...]) -> list[str]:
    """`position code`, in order."""
    return [f"{problem.position} {problem.code}" for problem in problems]


def the(compiled: Compiled, ref: str) -> Resource:
    """One resource of a compilation that went well."""
    assert told(compiled.problems) == []
    return compiled.resources[Ref.parse(ref)]


def spec_of(compiled: Compiled, ref: str) -> JsonMap:
    """The canonical spec of one resource."""
    return the(compiled, ref).spec
