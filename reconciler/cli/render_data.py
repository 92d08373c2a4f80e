"""Data for programs: JSON, YAML, names, jsonpath and custom columns. Keys are never sorted: the caller orders."""

import sys
from collections.abc import Callable, Sequence

from reconciler.model.json import Json, JsonMap


def write(value: Json, form: str, names: Callable[[], Sequence[str]] | None = None) -> None:
    """Print `value` in one of the forms of `-o`; raises Usage for a template that cannot be read."""
    if form == "json":
        from reconciler.cli.json_text import printed

        sys.stdout.write(printed(value) + "\n")
    elif form == "yaml":
        from reconciler.declare.dump import to_yaml

        sys.stdout.write(to_yaml([value] if isinstance(value, dict) else [{"items": value}]))
    elif form == "name":
        for name in names() if names else ():
            sys.stdout.write(f"{name}\n")
    elif form.startswith("jsonpath="):
        from reconciler.cli.jsonpath import expand

        sys.stdout.write(_bare(expand(form.partition("=")[2], value)) + "\n")
    elif form.startswith("custom-columns="):
        _columns(value, form.partition("=")[2])


def _bare(text: str) -> str:
    """Texts without quotes around them: as they are for a program, without what a terminal would obey on one."""
    if sys.stdout.isatty():
        from reconciler.cli.complain import printable

        return printable(text)
    return text.encode("utf-8", "backslashreplace").decode()  # half of a pair can be written nowhere


def _columns(value: Json, text: str) -> None:
    from reconciler.cli.jsonpath import columns
    from reconciler.cli.screen import Screen
    from reconciler.cli.table import table

    items = value.get("items") if isinstance(value, dict) and "items" in value else [value]
    headers, rows = columns(text, items if isinstance(items, list) else [])
    table(headers, rows, Screen(sys.stdout))


def listed(items: Sequence[JsonMap], *, single: bool) -> JsonMap:
    """One object, or a List of them as kubectl prints one."""
    if single and len(items) == 1:
        return items[0]
    found: list[Json] = list(items)
    return {"apiVersion": "v1", "kind": "List", "items": found}
