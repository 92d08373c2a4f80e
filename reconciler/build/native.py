"""A provider's own configuration files: read from the setup, merged, written as text that never varies."""

import json
from collections.abc import Mapping

from reconciler.build.adapter import relative
from reconciler.build.fault import refuse
from reconciler.model.json import Json, JsonMap, parse_map
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry
from reconciler.ports.build import AuthFile, AuthMaterial, Materials


def setup_text(materials: Materials, home_path: str) -> str | None:
    """The setup's file that would lie at `home_path`; raises ActionFailed where its bytes are not at hand."""
    base = relative(materials.adapter.setup_destination, "setup_projection.destination")
    path = home_path if base == "." else home_path.removeprefix(f"{base}/")
    entry = materials.setup.entries.get(path)
    if entry is None:
        return None
    if entry.data is None:
        raise refuse("setup_bytes", f"the setup's {path} must be given with its bytes, for it is merged")
    try:
        return entry.data.decode()
    except UnicodeDecodeError as error:
        raise refuse("setup_text", f"the setup's {path} is not UTF-8", "write it as UTF-8") from error


def setup_json(materials: Materials, home_path: str) -> JsonMap:
    """A JSON object of the setup; {} where it has no such file."""
    return json_object(setup_text(materials, home_path), f"the setup's {home_path}")


def setup_toml(materials: Materials, home_path: str) -> JsonMap:
    """A TOML document of the setup; {} where it has no such file."""
    text = setup_text(materials, home_path)
    if text is None:
        return {}
    import tomllib

    try:
        return {key: _plain(value, home_path) for key, value in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        raise refuse("setup_toml", f"the setup's {home_path} is not valid TOML: {error}", "mend the file") from error


def json_object(text: str | None, what: str) -> JsonMap:
    """The JSON object of a file; None and blank text are {}."""
    if text is None or not text.strip():
        return {}
    try:
        return parse_map(text)
    except ValueError:
        # The text may be a login file: neither it nor the parser's words about it belong in an error.
        raise refuse("json", f"{what} is not a JSON object", "mend the file") from None


def auth_json(auth: AuthMaterial | None, *sources: str) -> JsonMap | None:
    """The JSON object of the first of these login files that is there; None where none is."""
    for source in sources:
        found = auth.files.get(source) if auth else None
        if isinstance(found, AuthFile):
            raise refuse("auth_bytes", f"the login file {source} must be given with its bytes, for it is merged")
        if isinstance(found, Secret):
            return json_object(found.reveal(), f"the login file {source}")
    return None


def json_entry(value: Mapping[str, Json]) -> Entry:
    """A JSON file a person can read."""
    return Entry(data=(json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def role_entry(materials: Materials, home_path: str, prompt: str) -> Entry | None:
    """The file a provider reads its role from: the setup's own text, then the prompt. None where both are empty."""
    parts = [(setup_text(materials, home_path) or "").strip(), prompt.strip()]
    text = "\n\n".join(part for part in parts if part)
    return Entry(data=f"{text}\n".encode()) if text else None


def dropped(args: tuple[str, ...], flags: Mapping[str, bool]) -> tuple[str, ...]:
    """The words without these flags; True says that the flag's value is the word after it. `--flag=value` counts."""
    kept: list[str] = []
    rest = iter(args)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in flags:
            kept.append(word)
        elif flags[name] and not equals:
            next(rest, None)
    return tuple(kept)


def _plain(value: object, where: str) -> Json:
    """TOML's values as JSON's; dates have no JSON and no place in these files."""
    if isinstance(value, dict):
        return {str(key): _plain(item, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, where) for item in value]
    if isinstance(value, (str, int, float, bool)):
        return value
    raise refuse("setup_toml", f"the setup's {where} holds a date or time", "write it as text")
