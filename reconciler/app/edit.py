"""`edit`: the text that declares a resource, in an editor; what changed in it is then a verb like any other.

What a manifest declares is edited in its file, which is written only when the plan has been agreed to. What was made
by hand is edited as it would be exported.
"""

from collections.abc import Mapping

from reconciler.app.ask import Ask, Way
from reconciler.app.compose import Composer, recorded
from reconciler.app.intent import not_recorded
from reconciler.app.session import Flags, opened
from reconciler.app.write_back import file_of
from reconciler.declare.dump import to_yaml
from reconciler.declare.judge import identity
from reconciler.declare.reader import read
from reconciler.model import names
from reconciler.model.errors import DeclarationError, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple


class Text(NamedTuple):
    """What to edit: a whole file with the line to begin at, or the text of something made by hand (no `file`)."""

    ref: Ref
    file: str
    line: int
    data: bytes
    base: str
    """Where relative paths in it begin."""


def text_of(flags: Flags, ref: Ref) -> Text:
    """Find it; raises NotRecorded, CannotEdit where no single file declares it."""
    with opened(flags) as session:
        known = recorded(session.reader)
        row = known.rows.get(ref)
        if row is None:
            raise not_recorded(ref)
        if row.apply_set == names.IMPERATIVE and row.owner is None:
            data = to_yaml([Composer(session, session.reader, known).document(ref)]).encode()
            return Text(ref, "", 1, data, session.reader.places.overlay)
        path = file_of(ref, row, session.reader.files)
        line = row.position.line if row.position is not None else 1
        return Text(ref, path, line, session.reader.files.read(path), path.rpartition("/")[0])


def asked(text: Text, edited: bytes) -> Ask | None:
    """What the edit asks for; None where nothing changed. Raises DeclarationError for a text that cannot be read."""
    before, after = _documents(text.data, text.file), _documents(edited, text.file)
    changed = {ref: body for ref, body in after.items() if before.get(ref) != body}
    if not changed and set(before) == set(after):
        return None if text.data == edited or not text.file else _ask(text, edited, {text.ref: after[text.ref]})
    gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    if gone or come:
        what = f"{gone[0]} is gone from the text" if gone else f"{come[0]} is new in the text"
        raise UsageFault(
            f"{what}, and edit changes only what is there",
            hint="`houmao create` and `houmao delete` make and remove; a Moved document renames",
            code="usage.edit",
        )
    return _ask(text, edited, changed)


def _ask(text: Text, edited: bytes, changed: Mapping[Ref, JsonMap]) -> Ask:
    way = Way(declared=True) if text.file else Way()
    files = {text.file: (text.data, edited)} if text.file else {}
    return Ask("edit", documents=tuple(changed.values()), base=text.base, way=way, files=files)


def _documents(data: bytes, shown: str) -> Mapping[Ref, JsonMap]:
    documents, problems = read(data, shown or "the edited text")
    if problems:
        raise DeclarationError(list(problems))
    return {ref: document.value for document in documents if (ref := identity(document.value)) is not None}
