"""`python -m reconciler.cli.display`: the turns of a headless agent in its own pane, until the pane is closed.

The launch helper becomes it where `headlessDisplay` is declared; nobody types it. `json` prints an object on each line,
`plain` and `fancy` print text, the second in colour. `concise` leaves out what is neither the answer nor the end.
"""

import sys
from collections.abc import Iterator, Sequence

from reconciler.app import wiring
from reconciler.app.display import Begun, Happened, Told, Turns
from reconciler.cli.complain import printable
from reconciler.cli.json_text import on_one_line
from reconciler.cli.screen import Screen
from reconciler.model.json import JsonMap
from reconciler.ports.turn import EventKind

STYLES, DETAILS = ("plain", "json", "fancy"), ("concise", "detail")
SAID = (EventKind.ASSISTANT.value, EventKind.ERROR.value)
"""Events that are shown in any case."""
SHADES = {EventKind.ERROR.value: "red", EventKind.ASSISTANT.value: ""}


def lines(told: Told, style: str, detail: str, screen: Screen) -> Iterator[str]:
    """What is printed of it."""
    if style == "json":
        yield from _objects(told, detail)
    elif isinstance(told, Begun):
        yield screen.paint(f"-- {told.turn_id}", "bold")
    elif isinstance(told, Happened):
        yield from _words(told.event, detail, screen)
    else:
        word = "completed" if told.code == 0 else f"ended with status {told.code}"
        yield screen.paint(f"-- {told.turn_id} {word}", "green" if told.code == 0 else "red")


def _objects(told: Told, detail: str) -> Iterator[str]:
    body: JsonMap = {"turn_id": told.turn_id}
    if isinstance(told, Happened):
        if detail == "concise" and told.event["kind"] not in SAID:
            return
        body |= {key: value for key, value in told.event.items() if detail == "detail" or key != "raw_payload"}
    elif isinstance(told, Begun):
        body |= {"kind": "begun"}
    else:
        body |= {"kind": "over", "returncode": told.code}
    yield on_one_line(body)


def _words(event: JsonMap, detail: str, screen: Screen) -> Iterator[str]:
    kind, said = str(event["kind"]), str(event["message"] or "")
    if kind in SAID:
        for line in said.split("\n"):
            yield screen.paint(line, SHADES.get(kind, ""))
    elif detail == "detail":
        yield screen.paint(f"{kind}: {said or event['provider_event_type']}".replace("\n", " "), "dim")


def main(words: Sequence[str]) -> int:
    """Show turns until interrupted; 64 where the words are not those of a launch helper."""
    given = dict(zip(words[::2], words[1::2], strict=False))
    providers = wiring.providers()
    root, style, detail = given.get("--root", ""), given.get("--style", "plain"), given.get("--detail", "concise")
    provider = providers.get(given.get("--tool", ""))
    since = given.get("--since", "0")
    if not root or provider is None or style not in STYLES or detail not in DETAILS or not since.isdecimal():
        sys.stderr.write(f"this shows the turns of a headless agent: {printable(' '.join(words))} names none\n")
        return 64
    screen = Screen(sys.stdout, terminal=True, colour=style == "fancy", style=style)
    try:
        for told in Turns(wiring.local_files(), wiring.clock(), provider, root, int(since)).follow():
            for line in lines(told, style, detail, screen):
                screen.line(line)
            screen.flush()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
