"""Values of credentials on their way into a bundle: gathered, merged with what is kept, staged, fingerprinted.

They are Secrets throughout: nothing here can print one. Staged bytes lie beside their place (`content/auth/**`, files
0600) and are gone at the end of the command, whether a plan took them up or not.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from reconciler.app import staged, wiring
from reconciler.app.authoring.edits import absolute
from reconciler.app.authoring.flags import CREDENTIALS, CredentialField
from reconciler.build.definitions import vars_env
from reconciler.kinds.auth_profile.bundle import ENV_FILE, FILES_DIR
from reconciler.kinds.credential import KEY_FILE
from reconciler.model.errors import UsageFault
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry, Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.files import Files, FilesReader

STDIN = "-"
LOGIN_FILES = (".credentials.json", ".claude.json")
"""What `--config-dir` takes from a directory."""


class Inputs(NamedTuple):
    """What a command line says of a credential: new values, new login files, and what goes."""

    env: Mapping[str, Secret] = {}
    files: Mapping[str, bytes] = {}
    cleared_env: tuple[str, ...] = ()
    cleared_files: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing at all was said."""
        return not (self.env or self.files or self.cleared_env or self.cleared_files)

    def __repr__(self) -> str:
        return f"Inputs({sorted(self.env)}, {sorted(self.files)})"


class Bundle(NamedTuple):
    """A credential's bytes, whole."""

    env: Mapping[str, Secret]
    files: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"Bundle({sorted(self.env)}, {sorted(self.files)})"

    def tree(self) -> Tree:
        """As it lies on disk: only its owner reads it."""
        lines = [f"{name}={value.reveal()}\n" for name, value in sorted(self.env.items())]
        entries = {ENV_FILE: Entry(data="".join(lines).encode(), mode=0o600)}
        for name, data in sorted(self.files.items()):
            entries[f"{FILES_DIR}/{name}"] = Entry(data=data, mode=0o600)
        return Tree(entries)

    def fingerprint(self, reader: Reader) -> str:
        """Keyed, so that it says nothing of the bytes and equal ones in two overlays differ (R-SEC-2)."""
        key = reader.files.read(f"{reader.places.overlay}/{KEY_FILE}")
        whole = hmac.new(key, digestmod="sha256")
        for path, entry in sorted(self.tree().entries.items()):
            data = entry.data or b""
            whole.update(f"{path}\0{len(data)}\0".encode() + data)
        return whole.hexdigest()[:32]


def fields(tool: str) -> tuple[CredentialField, ...]:
    """What a credential of this tool may hold; raises UsageFault for a tool nobody knows."""
    found = tuple(field for field in CREDENTIALS if field.tool == tool)
    if not found:
        known = sorted({field.tool for field in CREDENTIALS})
        raise UsageFault(f"there are no credentials of {tool!r}", hint=f"the tool is one of {', '.join(known)}")
    return found


class Source(NamedTuple):
    """Where values written as `-`, files and variables are read."""

    stdin: Callable[[], str]
    reader: Reader
    cwd: str
    warn: Callable[[str], None]


def gathered(tool: str, given: Mapping[str, Sequence[str] | bool], source: Source, *, easy: bool = False) -> Inputs:
    """The inputs of a command line, `given` by key of the flag; raises UsageFault for another tool's flags.

    A secret written on the command line is taken, with a warning: it stands in the process list.
    """
    env: dict[str, Secret] = {}
    files: dict[str, bytes] = {}
    cleared_env: list[str] = []
    cleared_files: list[str] = []
    known: set[str] = set()
    for field in fields(tool):
        key = ((field.easy if easy else "") or field.key).replace("-", "_")
        known |= {key, f"clear_{key}"}
        value = given.get(key)
        if given.get(f"clear_{key}"):
            if value:
                raise UsageFault(f"--{field.key} and --clear-{field.key} exclude each other", hint="give one of them")
            (cleared_env if field.variable else cleared_files).extend(_cleared(field))
        elif field.directory and isinstance(value, tuple):
            files |= _login_files(value[-1], source)
        elif value is True:
            env[field.variable] = Secret(field.constant)
        elif isinstance(value, tuple) and field.file:
            files[field.file] = _read(value[-1], source)
        elif isinstance(value, tuple):
            env[field.variable] = _value(f"--{(field.easy if easy else '') or field.key}", field, value[-1], source)
    _key_elsewhere(tool, given, source, env)
    _refuse_foreign(tool, given, known, easy=easy)
    for name, secret in env.items():
        _refuse_unfit(name, secret)
    return Inputs(env, files, tuple(cleared_env), tuple(cleared_files))


def _cleared(field: CredentialField) -> list[str]:
    if field.variable:
        return [field.variable]
    return [field.file] if field.file else [*LOGIN_FILES]


def _value(flag: str, field: CredentialField, text: str, source: Source) -> Secret:
    if text == STDIN:
        return Secret(source.stdin().strip())
    if field.secret and field.login:
        source.warn(
            f"{flag} puts a secret into the process list and the history of the shell; "
            f"{flag} - reads it from standard input"
            + ("; --api-key-file and --api-key-env read it elsewhere" * (field.key == "api-key"))
        )
    return Secret(text)


def _key_elsewhere(
    tool: str, given: Mapping[str, Sequence[str] | bool], source: Source, env: dict[str, Secret]
) -> None:
    """`--api-key-file` and `--api-key-env`: the key from a file or a variable, now."""
    variable = next(field.variable for field in fields(tool) if field.key == "api-key")
    for key in ("api_key_file", "api_key_env"):
        value = given.get(key)
        if not isinstance(value, tuple):
            continue
        if variable in env:
            raise UsageFault("the key is given twice", hint="give one of --api-key, --api-key-file and --api-key-env")
        if key == "api_key_file":
            env[variable] = Secret(_read(value[-1], source).decode("utf-8", errors="replace").strip())
            continue
        found = source.reader.environ.get(value[-1])
        if not found:
            raise UsageFault(f"--api-key-env {value[-1]}: the variable is not set", hint="export it first")
        env[variable] = Secret(found)


def _refuse_foreign(tool: str, given: Mapping[str, Sequence[str] | bool], known: set[str], *, easy: bool) -> None:
    """A flag that belongs to another tool's credentials is a mistake, not something to leave out."""
    for field in CREDENTIALS:
        name = (field.easy if easy else "") or field.key
        key = name.replace("-", "_")
        if key not in known and (given.get(key) or given.get(f"clear_{key}")):
            raise UsageFault(
                f"--{name} is for {field.tool}, not for {tool}", hint=f"leave it out, or choose {field.tool}"
            )


def _refuse_unfit(name: str, secret: Secret) -> None:
    """The file of variables has one per line; what would not come back as it is, is refused without being shown."""
    value = secret.reveal()
    if not value:
        raise UsageFault(f"the value of {name} is empty", hint="give one, or leave the flag out")
    if "\n" in value or "\r" in value or "\0" in value:
        raise UsageFault(f"the value of {name} has a line break or a NUL in it", hint="it has to be one line")
    if vars_env(f"{name}={value}\n").get(name) != value:
        raise UsageFault(f"the value of {name} has quotes or spaces around it", hint="give it without them")


def _read(path: str, source: Source) -> bytes:
    home = source.reader.environ.get("HOME") or ""
    where = f"{home}{path[1:]}" if path.startswith("~/") else absolute(path, source.cwd)
    return source.reader.files.read(where)


def _login_files(directory: str, source: Source) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in LOGIN_FILES:
        where = f"{absolute(directory, source.cwd)}/{name}"
        if source.reader.files.stamp(where) is not None:
            found[name] = source.reader.files.read(where)
    if ".credentials.json" not in found:
        raise UsageFault(
            f"{directory} holds no .credentials.json", hint="log in there first, or name another directory"
        )
    return found


# --- what is kept -----------------------------------------------------------------------------------------------------


def kept(files: FilesReader, path: str) -> Bundle:
    """The bundle at an absolute path; empty where there is none."""
    env_file = f"{path}/{ENV_FILE}"
    env = vars_env(files.read(env_file).decode()) if files.stamp(env_file) is not None else {}
    logins = {
        entry.path.removeprefix(f"{FILES_DIR}/"): files.read(f"{path}/{entry.path}")
        for entry in files.found(path) or ()
        if entry.path.startswith(f"{FILES_DIR}/")
    }
    return Bundle({name: Secret(value) for name, value in env.items()}, logins)


def patched(before: Bundle, inputs: Inputs) -> Bundle:
    """The bundle with the inputs applied."""
    env = {name: value for name, value in before.env.items() if name not in inputs.cleared_env} | dict(inputs.env)
    files = {name: data for name, data in before.files.items() if name not in inputs.cleared_files}
    return Bundle(env, files | dict(inputs.files))


@contextmanager
def staging(reader: Reader, ref: Ref, tool: str, bundle: Bundle, *, dry: bool) -> Iterator[dict[Ref, ContentSource]]:
    """The bytes beside their place for as long as a plan may take them up; nothing is written for a `dry` one."""
    if dry:
        yield {}
        return
    files: Files = wiring.local_files()
    staged.sweep(reader, files)
    path = staged.staged_path(reader, tool, ref.name)
    try:
        files.write_tree(path, bundle.tree())
        yield {ref: ContentSource(bundle.fingerprint(reader), path, None, tree=True)}
    finally:
        files.remove(path)
