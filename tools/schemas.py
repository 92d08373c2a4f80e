"""Write the published JSON Schemas of all kinds, or with --check compare them: `python tools/schemas.py [--check]`."""

import json
import sys
from pathlib import Path

from reconciler.declare.catalogue import Catalogue
from reconciler.declare.jsonschema import files

OUT = Path(__file__).parents[1] / "schemas" / "v1alpha1"
OTHERS = {"plan.json"}
"""Published schemas that are made elsewhere."""


def wanted() -> dict[str, str]:
    """File name to its text."""
    return {name: json.dumps(body, indent=2, ensure_ascii=False) + "\n" for name, body in files(Catalogue()).items()}


def main(arguments: list[str]) -> int:
    """Exit 1 when --check finds a difference."""
    texts = wanted()
    present = {path.name: path for path in sorted(OUT.glob("*.json")) if path.name not in OTHERS}
    stale = sorted(
        name for name in {*texts, *present} if name not in present or present[name].read_text() != texts.get(name)
    )
    if arguments == ["--check"]:
        for name in stale:
            print(f"schemas/v1alpha1/{name} does not match the models: run `make schemas`", file=sys.stderr)
        return 1 if stale else 0
    if arguments:
        print("usage: python tools/schemas.py [--check]", file=sys.stderr)
        return 64
    OUT.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in texts:
            (OUT / name).write_text(texts[name])
        else:
            present[name].unlink()
        print(f"schemas/v1alpha1/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
