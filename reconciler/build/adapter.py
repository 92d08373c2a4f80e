"""`tools/<tool>/adapter.yaml` (schema_version 1): parsed, checked and written."""

from collections.abc import Mapping
from functools import lru_cache

from reconciler.build.fault import refuse
from reconciler.model.json import Json, JsonMap
from reconciler.ports.build import Adapter, FileMapping, ToolParam

SCHEMA_VERSION = 1
INJECTIONS = ("home_dotenv", "export_from_env_file")
PROJECTIONS = ("symlink", "copy")


@lru_cache(maxsize=256)  # the same few paths for every agent that is built
def relative(path: str, where: str) -> str:
    """`path` when it is relative and stays inside its root, `.` included; raises ActionFailed naming the field."""
    parts = path.split("/")
    if not path or path.startswith(("/", "~")) or "\\" in path or "\0" in path or ".." in parts:
        message = f"{where}: {path!r} must be a relative path inside its root"
        raise refuse("adapter_path", message, "remove '..' and roots")
    kept = [part for part in parts if part not in ("", ".")]
    return "/".join(kept) or "."


def checked(adapter: Adapter) -> Adapter:
    """The adapter itself, after its paths were found to stay inside; raises ActionFailed otherwise."""
    relative(adapter.setup_destination, "setup_projection.destination")
    relative(adapter.skills_destination, "skills_projection.destination")
    relative(adapter.files_dir, "auth_projection.files_dir")
    relative(adapter.env_source, "auth_projection.env.source")
    relative(adapter.env_file_in_home, "launch.env_injection.env_file_in_home")
    for index, mapping in enumerate(adapter.file_mappings):
        relative(mapping.source, f"auth_projection.file_mappings[{index}].source")
        relative(mapping.destination, f"auth_projection.file_mappings[{index}].destination")
    return adapter


def to_json(adapter: Adapter) -> JsonMap:
    """The document `parse` reads back as an equal adapter."""
    params: JsonMap = {}
    for name, param in adapter.tool_params.items():
        backends: JsonMap = {
            backend: {"args_when_true": list(when), "args_when_false": list(otherwise)}
            for backend, (when, otherwise) in param.backends.items()
        }
        params[name] = {"type": param.type, "backends": backends}
    injection: JsonMap = {"mode": adapter.env_injection}
    if adapter.env_injection == "home_dotenv":
        injection["env_file_in_home"] = adapter.env_file_in_home
    mappings: list[Json] = [dict(mapping._asdict()) for mapping in adapter.file_mappings]
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": adapter.tool,
        "home_selector": {"env_var": adapter.home_env_var},
        "launch": {
            "executable": adapter.executable,
            "args": list(adapter.args),
            "default_tool_params": dict(adapter.default_tool_params),
            "metadata": {"tool_params": params},
            "env_injection": injection,
        },
        "setup_projection": {"destination": adapter.setup_destination},
        "skills_projection": {"destination": adapter.skills_destination, "mode": adapter.skills_mode},
        "auth_projection": {
            "files_dir": adapter.files_dir,
            "file_mappings": mappings,
            "env": {"source": adapter.env_source, "allowlist": list(adapter.env_allowlist)},
        },
    }


def parse(value: Json, file: str) -> Adapter:
    """An adapter document; raises ActionFailed (`build.adapter`) naming the file and the dotted place."""
    top = Place(value, file, "")
    version = top.get("schema_version").value
    if version != SCHEMA_VERSION:
        raise refuse("adapter", f"{file}: schema_version: expected {SCHEMA_VERSION}, got {version!r}")
    launch, auth = top.get("launch"), top.get("auth_projection")
    injection = launch.get("env_injection")
    params = launch.get("metadata").get("tool_params")
    return checked(
        Adapter(
            tool=top.get("tool").text(),
            home_env_var=top.get("home_selector").get("env_var").text(),
            executable=launch.get("executable").text(),
            args=launch.get("args").texts(),
            default_tool_params=launch.get("default_tool_params").map(),
            tool_params={name: _param(params.get(name)) for name in params.map()},
            env_injection=injection.get("mode").choice(INJECTIONS, "export_from_env_file"),
            env_file_in_home=injection.get("env_file_in_home").text(".env"),
            setup_destination=top.get("setup_projection").get("destination").text("."),
            skills_destination=top.get("skills_projection").get("destination").text("skills"),
            skills_mode=top.get("skills_projection").get("mode").choice(PROJECTIONS, "symlink"),
            files_dir=auth.get("files_dir").text("files"),
            file_mappings=tuple(map(_mapping, auth.get("file_mappings").items())),
            env_source=auth.get("env").get("source").text("env/vars.env"),
            env_allowlist=auth.get("env").get("allowlist").texts(),
        )
    )


def _param(place: "Place") -> ToolParam:
    kind = place.get("type").text()
    if kind != "boolean":
        raise place.fault("type", f"expected boolean, got {kind!r}")
    backends = place.get("backends")
    words = {
        name: (backends.get(name).get("args_when_true").texts(), backends.get(name).get("args_when_false").texts())
        for name in backends.map()
    }
    return ToolParam(kind, words)


def _mapping(place: "Place") -> FileMapping:
    required = place.get("required").value
    return FileMapping(
        place.get("source").text(),
        place.get("destination").text(),
        place.get("mode").choice(PROJECTIONS, "symlink"),
        True if required is None else bool(required),
    )


class Place:
    """A value of a document with the file and the dotted path it stands at; absent values read as None."""

    __slots__ = ("file", "path", "value")

    def __init__(self, value: Json, file: str, path: str) -> None:
        self.value = value
        self.file = file
        self.path = path

    def fault(self, key: str, message: str) -> Exception:
        """An error at a key below."""
        where = ".".join(part for part in (self.path, key) if part)
        return refuse("definition", f"{self.file}: {where}: {message}")

    def get(self, key: str) -> "Place":
        """The value below `key`."""
        below = self.map().get(key)
        return Place(below, self.file, f"{self.path}.{key}" if self.path else key)

    def map(self) -> Mapping[str, Json]:
        """A mapping; absent is empty."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.fault("", "expected a mapping")
        return self.value

    def items(self) -> tuple["Place", ...]:
        """The items of a list; absent is empty."""
        if self.value is None:
            return ()
        if not isinstance(self.value, list):
            raise self.fault("", "expected a list")
        return tuple(Place(item, self.file, f"{self.path}[{index}]") for index, item in enumerate(self.value))

    def text(self, default: str | None = None) -> str:
        """Non-empty text."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.fault("", "expected a non-empty string")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of strings; absent is empty."""
        for item in self.items():
            if not isinstance(item.value, str):
                raise item.fault("", "expected a string")
        return tuple(str(item.value) for item in self.items())

    def choice(self, legal: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        word = self.text(default)
        if word not in legal:
            raise self.fault("", f"expected one of {', '.join(legal)}, got {word!r}")
        return word
