"""Two sides of a differing field as lines: short values whole, nested ones by what differs inside."""

from reconciler.model.change import FieldChange, Missing, NotKnown, Side
from reconciler.model.json import canonical

LONGEST = 100
CONTENT = len("sha256:") + 12
"""How much of a digest tells one content from another."""


def sides(change: FieldChange) -> list[tuple[str, str]]:
    """`-` what is there, `+` what is declared; masked values stay masked."""
    if change.masked:
        return [("-", "(sensitive)"), ("+", "(sensitive)")]
    before = change.last if isinstance(change.observed, Missing) else change.observed
    after = change.declared
    if isinstance(before, dict | list) and isinstance(after, dict | list) and not change.content:
        return nested(before, after)
    found = [("-", _said(before)), ("+", _said(after))]
    if (
        not isinstance(change.observed, Missing)
        and not isinstance(change.last, Missing)
        and change.last != change.observed
    ):
        found.append(("?", f"last applied: {_said(change.last)}"))
    return found


def nested(before: object, after: object) -> list[tuple[str, str]]:
    """What differs inside, one line per place."""
    from deepdiff import DeepDiff

    lines: list[tuple[str, str]] = []
    delta = DeepDiff(before, after, ignore_order=False, verbose_level=2).to_dict()
    for group in sorted(delta):
        for path, what in sorted(dict(delta[group]).items()):
            place = str(path).removeprefix("root").replace("['", ".").replace("']", "").lstrip(".") or "value"
            if group.endswith("_added"):
                lines.append(("+", f"{place}: {_said(what)}"))
            elif group.endswith("_removed"):
                lines.append(("-", f"{place}: {_said(what)}"))
            else:
                lines += [("-", f"{place}: {_said(what['old_value'])}"), ("+", f"{place}: {_said(what['new_value'])}")]
    return lines


def _said(side: "Side | object") -> str:
    if isinstance(side, NotKnown):
        return "(unknown)"
    if isinstance(side, Missing):
        return "(none)"
    if isinstance(side, dict) and side.keys() == {"digest", "size"}:
        return f"{str(side['digest'])[:CONTENT]}… ({side['size']} bytes)"
    text = canonical(side)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
