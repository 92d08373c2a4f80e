"""Looking at one agent does not parse the records of all the others."""

import json

from reconciler.ports.registry import BadRecord, Record, Records, RecordText

UID = "01a0000000007000800000000000abcd"


class Counted(RecordText):
    """Says when it is parsed."""

    parsed = 0

    def judged(self) -> Record | BadRecord:
        Counted.parsed += 1
        return super().judged()


def test_a_word_is_found_however_json_writes_it() -> None:
    escaped = json.dumps({"uid": UID}).replace("abcd", "\\u0061bcd")
    texts = {"other": json.dumps({"uid": "0" * 32}), "plain": json.dumps({"uid": UID}), "escaped": escaped}
    records = Records({name: Counted(name, text.encode(), None) for name, text in texts.items()})

    assert json.loads(escaped) == {"uid": UID}
    assert [name for name in records if records.may_name(name, [UID.encode()])] == ["plain", "escaped"]
    assert Counted.parsed == 0


def test_what_was_parsed_or_is_none_may_say_anything() -> None:
    read = RecordText("a", b"{}", None)
    read.judged()
    records = Records({"a": read, "b": BadRecord("b", "it cannot be read", None)})

    assert all(records.may_name(name, [b"x"]) for name in records)
