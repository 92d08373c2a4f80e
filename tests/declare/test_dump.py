"""Writing YAML: in the order people expect, quoted where another reader would take it for something else."""

from reconciler.declare.dump import document, to_yaml
from reconciler.declare.reader import read

EXPECTED = """\
apiVersion: houmao/v1alpha1
kind: Specialist
metadata:
  name: coder
  labels:
    team: red
spec:
  env:
    EMPTY: ""
    FLAG: "yes"
    NUMBER: "010"
    PATH: /a/b:c
    TIME: "1:30"
  prompt: |
    You write code.

    Test it.
  skillRefs:
  - review
  - "no"
  deep:
  - a: 1
    b:
    - - x
      - z
  - {}
  - []
"""


def test_what_export_writes() -> None:
    spec = {
        "env": {"EMPTY": "", "FLAG": "yes", "NUMBER": "010", "PATH": "/a/b:c", "TIME": "1:30"},
        "prompt": "You write code.\n\nTest it.\n",
        "skillRefs": ["review", "no"],
        "deep": [{"a": 1, "b": [["x", "z"]]}, {}, []],
    }
    written = document("Specialist", "coder", spec, labels={"team": "red"})  # type: ignore[arg-type]
    text = to_yaml([dict(reversed(written.items()))])
    assert text == EXPECTED
    assert read(text.encode(), "a")[0][0].value == written


def test_documents_are_separated() -> None:
    one = document("Role", "a", {"prompt": "x"})
    text = to_yaml([one, one])
    assert text.count("---\n") == 1
    assert len(read(text.encode(), "a")[0]) == 2
