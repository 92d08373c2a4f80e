"""What a release once gave is kept for ever (R-CAN-6): a directory for each release, never changed after it.

A directory holds declarations and `digests.json`, which says what each of them came to. `resource` is of the canonical
declaration, `launch` of what an instance is started as, `content` of the files and trees that are named, `inputs` of
it all together. Another `resource` digest plans an update of everything everywhere, another `launch` digest restarts
every agent there is: neither may come of a new release alone. `python -m tests.golden.test_corpus DIR` records one.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.declare.compile import Source
from reconciler.engine.lookup import View
from reconciler.engine.observe import Snapshot
from reconciler.kinds.instance.resolve import launch_of
from tests.declare.sources import Directory

HERE = Path(__file__).parent
RELEASES = sorted(path.name for path in HERE.iterdir() if (path / "fleet.yaml").exists())


def digests(place: Path) -> dict[str, Any]:
    """What this release makes of a directory."""
    compiled = Directory(place).source(Source(("definitions.yaml", "fleet.yaml")))
    assert [str(problem) for problem in compiled.problems] == []
    view = View(compiled.resources, Snapshot({}, {}, {}, {}, 0), {})
    launches = {
        str(ref): launch_of(resource, view) for ref, resource in compiled.resources.items() if ref.kind == "Instance"
    }
    assert {ref: launch.fault for ref, launch in launches.items() if launch.fault} == {}
    content = {
        f"{ref}.{'tree' if found.tree else 'text' if found.path is None else 'file'}": found.digest
        for ref, resource in compiled.resources.items()
        for found in resource.contents
    }
    return {
        "inputs": compiled.inputs_digest,
        "resource": {str(ref): compiled.resources[ref].digest for ref in sorted(compiled.resources)},
        "launch": {ref: launches[ref].digest for ref in sorted(launches)},
        "content": dict(sorted(content.items())),
    }


@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_once_gave_is_given_still(release: str, tmp_path: Path) -> None:
    # Elsewhere than it was recorded, for no digest may know where it is.
    place = shutil.copytree(HERE / release, tmp_path / "another place")
    recorded = json.loads((place / "digests.json").read_text())
    found = digests(place)
    assert found["resource"] == recorded["resource"], "an upgrade would update what nobody changed"
    assert found["launch"] == recorded["launch"], "an upgrade would restart agents that nobody changed"
    assert found["content"] == recorded["content"]
    assert found["inputs"] == recorded["inputs"]


@pytest.mark.parametrize(
    ("file", "before", "after", "moved"),
    [
        ("fleet.yaml", "timeout: 1m30s", "timeout: 90s", ()),
        ("fleet.yaml", "spec: {specialistRef: coder}", "spec: {specialistRef: coder, state: Running}", ()),
        ("definitions.yaml", 'since: "0.1"', "since: '0.1'", ()),
        ("definitions.yaml", "Cafe\\u0301", "Café", ()),
        ("definitions.yaml", "model: large", "model: larger", ("carol",)),
        ("definitions.yaml", "text: Only this.", "text: Only that.", ("carol",)),
        ("prompts/coder.md", "Small steps.", "Large steps.", ("alice", "bob", "worker-0", "worker-1")),
        ("skills/notes/notes.sh", "echo notes", "echo Notes", ("alice", "bob", "worker-0", "worker-1")),
        ("definitions.yaml", 'rotation: "2026-01"', 'rotation: "2026-02"', ("erin",)),
    ],
)
def test_a_change_of_meaning_is_seen_and_one_of_words_is_not(
    file: str, before: str, after: str, moved: tuple[str, ...], tmp_path: Path
) -> None:
    """That the corpus can fail: each digest follows what it is said to follow."""
    place = shutil.copytree(HERE / RELEASES[-1], tmp_path / "place")
    was = digests(place)
    text = (place / file).read_bytes().decode()
    assert before in text
    (place / file).write_bytes(text.replace(before, after).encode())
    now = digests(place)
    restarted = {ref.removeprefix("Instance/") for ref, found in now["launch"].items() if found != was["launch"][ref]}
    assert restarted == set(moved)
    assert (now["resource"] != was["resource"]) == bool(moved)
    assert (now["inputs"] != was["inputs"]) == bool(moved)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    if (where / "digests.json").exists():
        sys.exit(f"{where} has been recorded, and is never recorded again")
    (where / "digests.json").write_text(json.dumps(digests(where), indent=1) + "\n")
