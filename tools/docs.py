"""Write what is generated from the command tables, or with --check compare it: `python tools/docs.py [--check]`.

The text of every `--help` (`reconciler/cli/help/*.txt`) and the reference page (`docs/reference/cli.md`).
"""

import sys
from pathlib import Path

from reconciler.cli.help_text import help_texts, reference

ROOT = Path(__file__).parents[1]
HELP = ROOT / "reconciler" / "cli" / "help"
PAGE = ROOT / "docs" / "reference" / "cli.md"


def wanted() -> dict[Path, str]:
    """Every generated file and its text."""
    return {HELP / f"{name}.txt": text for name, text in help_texts().items()} | {PAGE: reference()}


def main(arguments: list[str]) -> int:
    """Exit 1 when --check finds a difference."""
    texts = wanted()
    present = {*HELP.glob("*.txt"), *([PAGE] if PAGE.exists() else [])}
    stale = sorted(p for p in {*texts, *present} if p not in present or p.read_text() != texts.get(p))
    if arguments == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} does not match the commands: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    if arguments:
        print("usage: python tools/docs.py [--check]", file=sys.stderr)
        return 64
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path in texts:
            path.write_text(texts[path])
        else:
            path.unlink()
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
