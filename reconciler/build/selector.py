"""From what a person writes after `--agents` to one recipe of a definition tree.

coder                   the recipe of role `coder` for the provider's tool with the setup `default`
role:coder              the same, said outright
recipe:coder-codex      the recipe of that name
./presets/coder.yaml    a file: as given, below the current directory, below the definition root
"""

from collections.abc import Callable, Mapping

from reconciler.build.fault import refuse
from reconciler.model.tuples import NamedTuple

TOOLS = {"claude_code": "claude", "codex": "codex", "gemini_cli": "gemini"}
PROVIDERS = {tool: provider for provider, tool in TOOLS.items()}
DEFAULT_PROVIDER = "claude_code"
SUFFIXES = (".yaml", ".yml")


class Preset(NamedTuple):
    """What a selector needs to know about one recipe."""

    name: str
    path: str
    role: str
    tool: str
    setup: str


class Selected(NamedTuple):
    """The recipe, and where the definition tree it belongs to begins."""

    path: str
    root: str
    tool: str
    name: str = ""


def tool_of(provider: str) -> str:
    """The tool of a provider; an unknown word is a tool's own name."""
    return TOOLS.get(provider.strip(), provider.strip())


def provider_of(tool: str) -> str:
    """The provider of a tool, as it was long called."""
    return PROVIDERS.get(tool, tool)


def is_path(selector: str) -> bool:
    """Whether a selector names a file."""
    return "/" in selector or "\\" in selector or selector.startswith((".", "~")) or selector.endswith(SUFFIXES)


def select(
    selector: str,
    provider: str,
    *,
    root: str,
    cwd: str,
    presets: Mapping[str, Preset],
    is_file: Callable[[str], bool],
    setup: str = "default",
) -> Selected:
    """The one recipe a selector means. `presets` are those of `root` by name; `is_file` looks at absolute paths.

    Raises ActionFailed (`build.selector`) with near matches in the hint. What the recipe's tool is, and whether the
    role's prompt is there, is checked by `check_tool` and the reader of definitions.
    """
    text, wanted = selector.strip(), tool_of(provider)
    if not text or not wanted:
        raise refuse("selector", "an empty selector or provider selects nothing", "name a role, a recipe or a file")
    kind, colon, name = text.partition(":")
    if colon and kind == "recipe":
        return _by_name(name, wanted, root, presets)
    if is_path(text):
        return _by_path(text, wanted, root, cwd, is_file)
    role = name if colon and kind == "role" else text
    found = [
        preset for preset in presets.values() if preset.role == role and preset.tool == wanted and preset.setup == setup
    ]
    if len(found) == 1:
        return Selected(found[0].path, root, wanted, found[0].name)
    if found:
        paths = ", ".join(sorted(preset.path for preset in found))
        message = f"multiple named presets matched role {role!r} with tool {wanted!r} and setup {setup!r}: {paths}"
        raise refuse("selector", message, "name one of them: recipe:<name>")
    message = f"could not resolve a native preset for role {role!r} with tool {wanted!r} under {root}/presets"
    raise refuse("selector", message, _near(role, presets))


def check_tool(preset: Preset, tool: str) -> None:
    """Raise where a recipe is for another tool than was asked for."""
    if preset.tool != tool:
        raise refuse("selector", f"resolved preset targets tool {preset.tool!r}, not {tool!r}", "name its provider")


def _by_name(name: str, tool: str, root: str, presets: Mapping[str, Preset]) -> Selected:
    found = presets.get(name)
    if found is None:
        raise refuse("selector", f"there is no recipe {name!r} under {root}/presets", _near(name, presets))
    check_tool(found, tool)
    return Selected(found.path, root, tool, found.name)


def _by_path(text: str, tool: str, root: str, cwd: str, is_file: Callable[[str], bool]) -> Selected:
    bases = [""] if text.startswith("/") else [f"{cwd}/", f"{root}/"]
    endings = ("",) if text.endswith(SUFFIXES) else ("", *SUFFIXES)
    for base in bases:
        for ending in endings:
            path = normal(f"{base}{text}{ending}")
            if not is_file(path):
                continue
            folder, _, _ = path.rpartition("/")
            tree, _, name = folder.rpartition("/")
            if name != "presets":
                raise refuse("selector", f"{path} is not in a directory named 'presets'", "move it there")
            return Selected(path, tree or "/", tool)
    raise refuse("selector", f"could not resolve preset path from selector {text!r}", "check the path")


def normal(path: str) -> str:
    """An absolute path without `.` and `..`."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _near(role: str, presets: Mapping[str, Preset]) -> str:
    """Recipes of that role for other tools or setups, and the recipe of that very name."""
    near = [
        f"recipe:{preset.name} ({preset.tool}, setup {preset.setup})"
        for preset in sorted(presets.values())
        if preset.role == role or preset.name == role
    ]
    return f"did you mean {', '.join(near)}?" if near else "`houmao project agents recipes list` names them all"
