"""The recorded screens: <provider>/screens/<situation>.txt, with titles.json and, written by people, readings.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.ports.reading import Reading
from reconciler.ports.tmux import Screen

HERE = Path(__file__).parent
RECORDED = sorted(HERE.glob("*/screens/*.txt"))
Said = dict[str, Any]


def recorded(path: Path) -> Screen:
    titles: dict[str, str] = json.loads((path.parent / "titles.json").read_text(encoding="utf-8"))
    return Screen(path.read_text(encoding="utf-8"), titles[path.stem])


def expected(path: Path) -> Said:
    """What people say this screen shows."""
    return readings(path.parents[1].name)[path.stem]


def readings(name: str) -> dict[str, Said]:
    found: dict[str, Said] = json.loads((HERE / name / "screens" / "readings.json").read_text(encoding="utf-8"))
    return found


def said_of(reading: Reading) -> Said:
    """A reading in the words of readings.json: all that is meant, none of the digests."""
    return {
        "state": reading.state.value,
        **{name: value.value for name, value in reading.surface._asdict().items()},
        "busy": reading.busy.value,
        "asking": reading.asking.kind.value if reading.asking else None,
        "result": reading.result.value,
        "anomalies": list(reading.anomalies),
    }


def name_of(path: Path) -> str:
    return f"{path.parents[1].name}-{path.stem}"
