"""A fleet of every kind on the twin, to turn the fields of."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from reconciler.engine.discover import built_in
from reconciler.model.json import Json, JsonMap
from reconciler.ports.process import Finished
from tests.machine.twin import Twin
from tests.operations.turns import Turn

BASE: dict[tuple[str, str], JsonMap] = {
    ("Project", "fleet"): {"limits": {"instances": 20}},
    ("AuthProfile", "work"): {"provider": "echo", "source": {"env": {"ECHO_API_KEY": {"env": "KEY"}}}},
    ("AuthProfile", "spare"): {"provider": "echo", "source": {"env": {"ECHO_API_KEY": {"env": "OTHER"}}}},
    ("Setup", "plain"): {"provider": "echo", "path": "setups/plain"},
    ("Setup", "other"): {"provider": "echo", "path": "setups/other"},
    ("Skill", "review"): {"path": "skills/review"},
    ("Skill", "look"): {"path": "skills/look"},
    ("Role", "tester"): {"prompt": "You test."},
    ("Role", "second"): {"prompt": "You test twice."},
    ("Recipe", "tester-echo"): {"roleRef": "tester", "provider": "echo"},
    ("Recipe", "second-echo"): {"roleRef": "second", "provider": "echo"},
    ("Specialist", "coder"): {"provider": "echo", "prompt": "You write."},
    ("Specialist", "writer"): {"provider": "echo", "prompt": "You write prose."},
    ("LaunchProfile", "day"): {"specialistRef": "coder"},
    ("LaunchProfile", "night"): {"specialistRef": "writer"},
    ("Instance", "alice"): {"profileRef": "day"},
    ("Instance", "bob"): {"recipeRef": "tester-echo"},
    ("Instance", "carol"): {"specialistRef": "coder"},
    ("InstanceSet", "crew"): {"replicas": 2, "template": {"specialistRef": "coder"}},
}
TARGETS = {
    "AuthProfile": "work", "Instance": "carol", "InstanceSet": "crew", "LaunchProfile": "day", "Project": "fleet",
    "Recipe": "tester-echo", "Role": "tester", "Setup": "plain", "Skill": "review", "Specialist": "coder",
}  # fmt: skip
FILES = {
    "prompts/a.md": "Text A.\n",
    "prompts/b.md": "Text B.\n",
    "setups/plain/greeting.txt": "hello\n",
    "setups/other/greeting.txt": "good morning\n",
    "skills/review/SKILL.md": "---\nname: review\ndescription: Looks twice.\n---\nLook twice.\n",
    "skills/look/SKILL.md": "---\nname: look\ndescription: Looks.\n---\nLook.\n",
    "memo/a/houmao-memo.md": "Memo A.\n",
    "memo/b/houmao-memo.md": "Memo B.\n",
}


def leaves() -> Iterator[tuple[str, str]]:
    """Every field of every kind that holds a value of its own, by kind and path."""
    handlers = built_in()
    for kind in handlers:
        shape = handlers[kind].schema.shape
        for path in shape:
            if not any(other.startswith(f"{path}.") for other in shape):
                yield kind, path


def made() -> Twin:
    """A twin in which all of it is applied."""
    twin = Twin(on_disk=True)
    twin.environ.values |= {"KEY": "not-a-real-key", "OTHER": "not-a-real-one"}
    twin.process.answers["true"] = Finished(0, b"", b"")
    for name, data in FILES.items():
        twin.put(name, data)
    for name in ("one", "two"):
        (twin.root / name).mkdir()
    return twin


def text(kind: str = "", path: str = "", value: Json = None, turn: Turn | None = None) -> str:
    """The fleet, with one field set."""
    found: dict[tuple[str, str], Any] = copy.deepcopy(BASE)
    if turn is not None:
        spec = found[kind, TARGETS[kind]]
        inside = "template." if path.startswith("template.") else ""
        for gone in turn.drop:
            (spec["template"] if inside else spec).pop(gone, None)
        _lay(spec["template"] if inside else spec, turn.also)
        _put(spec, path.split("."), value)
    documents = [
        {"apiVersion": "houmao/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        for (kind, name), spec in found.items()
    ]
    return "\n---\n".join(json.dumps(document) for document in documents) + "\n"


def _lay(spec: dict[str, Any], also: JsonMap) -> None:
    for key, value in also.items():
        if isinstance(value, dict):
            _lay(spec.setdefault(key, {}), value)
        else:
            spec[key] = value


def _put(spec: dict[str, Any], path: list[str], value: Json) -> None:
    for word in path[:-1]:
        spec = spec.setdefault(word, {})
    spec[path[-1]] = value


def standing(twin: Twin) -> dict[str, object]:
    """What is recorded and runs, without what differs from start to start.

    A member that goes and comes again is another one, so members are told by their names alone.
    """
    reader = twin.held.reader()
    rows = {
        str(row.ref): ("" if row.ref.name.startswith("crew-") else row.uid, row.digest, row.launch_digest)
        for row in reader.catalog.inventory()
    }
    facts = {
        f"{kind}/{name}": found.facts for kind in built_in() for name, found in reader.catalog.definitions(kind).items()
    }
    return {**rows, **facts, "running": twin.running}
