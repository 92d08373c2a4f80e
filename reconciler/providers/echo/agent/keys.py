"""Bytes from a keyboard become keys: a pure decoder, and the line they edit.

A chunk read from a terminal may end anywhere: inside a character, an escape sequence or a paste. The decoder keeps
what is not complete and says so in `half`; a lone ESC becomes the Escape key only when the caller, after a short wait,
asks for it with `flush`.
"""

from __future__ import annotations

import codecs

from .home import CONTROLS

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
PLAIN = {
    "\r": "enter",
    "\n": "enter",
    "\x01": "home",
    "\x03": "interrupt",
    "\x04": "eof",
    "\x05": "end",
    "\x08": "backspace",
    "\x0b": "kill",
    "\x15": "clear",
    "\x17": "word",
    "\x7f": "backspace",
}
SEQUENCES = {
    "[C": "right",
    "[D": "left",
    "[F": "end",
    "[H": "home",
    "[1~": "home",
    "[3~": "delete",
    "[4~": "end",
    "OC": "right",
    "OD": "left",
    "OF": "end",
    "OH": "home",
    "OM": "enter",
}


class Keys:
    """The decoder. A key is a pair: its name and, for `text` and `paste`, what it inserts."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._pasted: list[str] | None = None

    @property
    def half(self) -> bool:
        """Whether an escape sequence has begun and not ended; a paste may take as long as it likes."""
        return self._pasted is None and bool(self._rest)

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """The keys that are complete with these bytes."""
        self._rest += self._decode(data)
        found: list[tuple[str, str]] = []
        while self._rest:
            if not (self._in_paste(found) if self._pasted is not None else self._one(found)):
                break
        return found

    def flush(self) -> list[tuple[str, str]]:
        """Nothing more came: what began with ESC was the Escape key, and a half sequence means nothing."""
        rest, self._rest = self._rest, ""
        return [("escape", "")] if rest == "\x1b" else []

    def _in_paste(self, found: list[tuple[str, str]]) -> bool:
        assert self._pasted is not None
        content, end, after = self._rest.partition(PASTE_END)
        if not end:
            # The end mark itself may be cut: keep as much as could be its beginning.
            keep = len(self._rest) - (len(PASTE_END) - 1)
            if keep > 0:
                self._pasted.append(self._rest[:keep])
                self._rest = self._rest[keep:]
            return False
        text = "".join([*self._pasted, content]).replace("\r\n", "\n").replace("\r", "\n")
        found.append(("paste", text.translate(CONTROLS)))
        self._pasted, self._rest = None, after
        return True

    def _one(self, found: list[tuple[str, str]]) -> bool:
        rest = self._rest
        if rest[0] != "\x1b":
            count = next((at for at, char in enumerate(rest) if ord(char) < 32 or char == "\x7f"), len(rest))
            if count:
                found.append(("text", rest[:count].translate(CONTROLS)))
            elif rest[0] in PLAIN:
                found.append((PLAIN[rest[0]], ""))
            self._rest = rest[count or 1 :]
            return True
        if len(rest) == 1:
            return False
        if rest[1] not in "[O":
            found.append(("escape", ""))
            self._rest = rest[1:]
            return True
        end = next((at for at, char in enumerate(rest[2:], 2) if not " " <= char <= "?"), None)
        if end is None:
            return False
        if not "@" <= rest[end] <= "~":  # cut short by something that is a key of its own
            self._rest = rest[end:]
            return True
        sequence, self._rest = rest[: end + 1], rest[end + 1 :]
        if sequence == PASTE_START:
            self._pasted = []
        elif sequence[1:] in SEQUENCES:
            found.append((SEQUENCES[sequence[1:]], ""))
        return True


class Line:
    """The text being written and the place of the cursor in it."""

    def __init__(self) -> None:
        self.text, self.at = "", 0

    def take(self) -> str:
        """The text, without blanks around it; the line is empty afterwards."""
        text, self.text, self.at = self.text.strip(), "", 0
        return text

    def edit(self, key: str, text: str) -> None:
        """Do what an editing key says; any other key does nothing."""
        before, after = self.text[: self.at], self.text[self.at :]
        match key:
            case "text" | "paste":
                before += text
            case "backspace":
                before = before[:-1]
            case "delete":
                after = after[1:]
            case "left":
                before, after = before[:-1], before[-1:] + after
            case "right":
                before, after = before + after[:1], after[1:]
            case "home":
                before, after = "", before + after
            case "end":
                before, after = before + after, ""
            case "kill":
                after = ""
            case "clear":
                before, after = "", ""
            case "word":
                kept = before.rstrip()
                before = kept[: len(kept) - len(kept.split()[-1])] if kept else ""
        self.text, self.at = before + after, len(before)
