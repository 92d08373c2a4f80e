"""Resource digests are kept for ever: no release may change one that an earlier release gave (R-CAN-6).

`golden/digests.json` maps the text of a document to the digests of all that comes from it. A new release adds lines; it
never changes one.
"""

import json
from pathlib import Path

import pytest

from tests.declare.sources import Directory, told

GOLDEN: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "golden" / "digests.json").read_text())


@pytest.mark.parametrize("text", GOLDEN, ids=range(len(GOLDEN)))
def test_a_digest_once_given_stays(directory: Directory, text: str) -> None:
    compiled = directory.put({"a.yaml": text, "tree/SKILL.md": "skill\n", "p.md": "prompt\n"}).compiled("a.yaml")
    assert told(compiled.problems) == []
    assert {str(ref): resource.digest for ref, resource in compiled.resources.items()} == GOLDEN[text]
