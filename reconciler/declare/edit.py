"""Edit a declaration in its file: the lines that must change, and no other byte (R-IMP-2). Pure: text in, text out.

Values are replaced where they stand, keys are added behind the last one of their map, lists are edited item by item.
Comments, quotes, anchors, line ends, order and layout of everything else stay as they are. Whoever calls this compiles
the result and compares: an edit that would reach further than asked (through an anchor, say) is then refused.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from reconciler.declare.dump import flow, to_lines
from reconciler.declare.yaml_nodes import CannotEdit, Node, documents
from reconciler.model.json import Json, canonical
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple

BOM = "\ufeff"


class Put(NamedTuple):
    """One value to be written, by its path in the document; None takes the key away. `before` is what is there."""

    path: tuple[str, ...]
    value: Json
    before: Json = None


class Splice(NamedTuple):
    """One piece of text in place of another."""

    start: int
    end: int
    text: str


def edited(text: str, ref: Ref, puts: Sequence[Put]) -> str:
    """The text with every value in place; raises CannotEdit where that cannot be done faithfully."""
    mark, text = (BOM, text.removeprefix(BOM)) if text.startswith(BOM) else ("", text)
    for put in puts:
        # One at a time, each on the text that the one before left: places move.
        found = [place for place in documents(text) if (place.kind, place.name) == tuple(ref)]
        if len(found) != 1:
            count = "does not declare" if not found else "declares more than once"
            raise CannotEdit(f"the file {count} {ref}", hint="edit by hand what makes it")
        editor = _Editor(text, ref)
        editor.put(found[0].root, put)
        text = editor.done()
    return mark + text


class _Editor:
    """One edit of one text."""

    def __init__(self, text: str, ref: Ref) -> None:
        self.text = text
        self.ref = ref
        self.splices: list[Splice] = []
        crlf = text.count("\r\n")
        self.newline = "\r\n" if crlf and crlf * 2 > text.count("\n") else "\n"

    def done(self) -> str:
        """The text with its splices made."""
        text = self.text
        for splice in sorted(self.splices, reverse=True):
            text = text[: splice.start] + splice.text + text[splice.end :]
        return text

    def put(self, root: Node, put: Put) -> None:
        """Walk to the map that holds the last key, then write there."""
        node, trail = root, []
        for depth, key in enumerate(put.path):
            if node.kind != "map":
                raise self._no(put, "an alias or something else stands on the way to it")
            found = node.get(key)
            trail.append((node, key))
            if found is None:
                if put.value is not None:
                    self._add(node, key, _nested(put.path[depth + 1 :], put.value), put)
                return
            name, value = found
            if depth == len(put.path) - 1:
                self._replace(node, name, value, trail, put)
                return
            if value.kind == "scalar" and value.text in ("", "~", "null") and not value.style:
                if put.value is not None:
                    self._scalar(node, name, value, _nested(put.path[depth + 1 :], put.value), put)
                return
            node = value

    def _no(self, put: Put, why: str) -> CannotEdit:
        return CannotEdit(f"{'.'.join(put.path)} of {self.ref} cannot be edited: {why}", hint="edit it by hand")

    def _replace(self, parent: Node, name: Node, value: Node, trail: list[tuple[Node, str]], put: Put) -> None:
        if put.value is None:
            self._remove(trail, put)
        elif value.tagged:
            raise self._no(put, "it has a tag")
        elif (
            value.kind == "list"
            and not value.flow
            and isinstance(put.value, list)
            and put.value
            and isinstance(put.before, list)
            and len(put.before) == len(value.items)
        ):
            self._items(value, put.before, put.value, put)
        elif value.kind in ("scalar", "alias") or value.flow:
            self._scalar(parent, name, value, put.value, put)
        else:
            self._block(name, value, put.value)

    def _scalar(self, parent: Node, name: Node, value: Node, new: Json, put: Put) -> None:
        """In place of one that stands on its own lines: what follows on the line stays."""
        if isinstance(new, str) and "\n" in new and not parent.flow and value.kind == "scalar":
            first, *rest = to_lines(new, self._indent(name.start) + 2)
            end = self._end_of_line(value.end) if value.style not in ("|", ">") else value.end
            tail = self.text[value.end : end]
            body = self.newline.join([first + tail, *rest])
            self.splices.append(Splice(value.body, end, body))
            return
        text = flow(new, like=value.style if isinstance(new, str) else "", inside=parent.flow)
        if value.start == value.end:
            at = self.text.index(":", name.end) + 1
            self.splices.append(Splice(at, at, f" {text}"))
        else:
            self.splices.append(Splice(value.body, value.end, text))

    def _block(self, name: Node, value: Node, new: Json) -> None:
        """In place of a map or list in block style: all of it, as there is nothing finer to compare."""
        colon = self.text.index(":", name.end) + 1
        indent = self._indent(name.start)
        if not new or not isinstance(new, dict | list):
            self.splices.append(Splice(colon, value.last(), f" {flow(new)}"))
            return
        start = self._line_start(value.items[0][0].start if value.items[0][0] is not None else value.start)
        body = self.newline.join(to_lines(new, indent + 2))
        self.splices.append(Splice(start, self._end_of_line(value.last()), body))

    def _items(self, node: Node, before: list[Json], after: list[Json], put: Put) -> None:
        """A block list, item by item: those that stay are not touched."""
        dash = self._dash(node.items[0][1].start, put)
        pad = self.text[self._line_start(dash) : dash]
        if pad.strip():
            raise self._no(put, "its first item stands behind something else")
        one, two = [canonical(item) for item in before], [canonical(item) for item in after]
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
            if tag == "equal":
                continue
            if tag == "replace" and i2 - i1 == j2 - j1 and all(_plain(item) for item in after[j1:j2]):
                for index, item in zip(range(i1, i2), after[j1:j2], strict=True):
                    old = node.items[index][1]
                    if old.kind not in ("scalar", "alias") or old.tagged:
                        raise self._no(put, "one of its items has a tag or is no plain value")
                    text = flow(item, like=old.style if isinstance(item, str) else "")
                    self.splices.append(Splice(old.body, old.end, text))
                continue
            lines = [f"{pad}{line}" for item in after[j1:j2] for line in to_lines([item], 0)]
            added = "".join(line + self.newline for line in lines)
            if i1 < len(node.items):
                start = self._line_start(self._dash(node.items[i1][1].start, put))
            else:
                start = self._next_line(node.items[-1][1].last())
            end = start if i1 == i2 else self._next_line(node.items[i2 - 1][1].last())
            if start > 0 and self.text[start - 1] != "\n" and added:
                added = self.newline + added.removesuffix(self.newline)
            self.splices.append(Splice(start, end, added))

    def _add(self, node: Node, key: str, value: Json, put: Put) -> None:
        """A new entry behind the last one."""
        if node.flow or not node.items:
            entry = f"{flow(key, inside=True)}: {flow(value, inside=True)}"
            if node.items:
                at = node.items[-1][1].end
                self.splices.append(Splice(at, at, f", {entry}"))
            else:
                opening = self.text.index("{", node.body) + 1
                self.splices.append(Splice(opening, opening, entry))
            return
        first = node.items[0][0]
        assert first is not None
        indent = first.start - self._line_start(first.start)
        pad = " " * indent
        lines = [f"{pad}{line}" for line in to_lines({key: value}, 0)]
        at = self._next_line(node.last())
        text = "".join(line + self.newline for line in lines)
        if at > 0 and self.text[at - 1] != "\n":
            text = self.newline + text.removesuffix(self.newline)
        self.splices.append(Splice(at, at, text))
        del put

    def _remove(self, trail: list[tuple[Node, str]], put: Put) -> None:
        """An entry, and the map around it when nothing else is in it."""
        while len(trail) > 2 and len(trail[-1][0].items) == 1:
            trail = trail[:-1]
        node, key = trail[-1]
        found = node.get(key)
        assert found is not None
        name, value = found
        at = next(index for index, item in enumerate(node.items) if item[0] is name)
        if node.flow:
            if at + 1 < len(node.items):
                following = node.items[at + 1][0]
                assert following is not None
                self.splices.append(Splice(name.start, following.start, ""))
            elif at > 0:
                self.splices.append(Splice(node.items[at - 1][1].end, value.end, ""))
            else:
                self.splices.append(Splice(name.start, value.end, ""))
            return
        start = self._line_start(name.start)
        if self.text[start : name.start].strip():
            raise self._no(put, "its key stands behind something else on its line")
        self.splices.append(Splice(start, self._next_line(max(value.last(), name.end)), ""))

    # -- places

    def _indent(self, at: int) -> int:
        start = self._line_start(at)
        return len(self.text[start:at]) - len(self.text[start:at].lstrip(" ")) if start != at else 0

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _end_of_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        if end < 0:
            return len(self.text)
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def _next_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def _dash(self, at: int, put: Put) -> int:
        found = self.text.rfind("-", 0, at)
        if found < 0 or self.text[found + 1 : at].strip() or "\n" in self.text[found:at]:
            raise self._no(put, "its items do not stand behind their dashes")
        return found


def _nested(keys: Sequence[str], value: Json) -> Json:
    for key in reversed(keys):
        value = {key: value}
    return value


def _plain(value: Json) -> bool:
    return not isinstance(value, dict | list) and not (isinstance(value, str) and "\n" in value)
