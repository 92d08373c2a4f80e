"""Loading: the schema says what the loader does, canonical forms are stable, and no order or spelling matters."""

import json
import re
from collections.abc import Iterator

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.declare import envelope
from reconciler.declare.dump import to_yaml
from reconciler.declare.jsonschema import files
from reconciler.declare.reader import read
from reconciler.declare.schema import Schema
from reconciler.declare.vocabulary import (
    NAME_PATTERN,
    PAUSE_MAX,
    PAUSE_PATTERN,
    PERIOD_MIN,
    PERIOD_PATTERN,
    SESSION_PATTERN,
    milliseconds,
)
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.model.ref import name_fault, session_name_fault
from tests.declare.specs import JUNK, KINDS, SAMPLES, SCHEMAS, documents, spoiled, valid_struct

PUBLISHED = files(KINDS)
SLOW = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def schema_tier(schema: Schema, document: JsonMap) -> bool:
    """Whether the loader's schema tier accepts one parsed document."""
    if envelope.check(document, schema.kind, schema.optional):
        return False
    return "spec" not in document or not schema.validate(document["spec"])


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
@SLOW
@given(data=st.data())
def test_the_published_schema_accepts_exactly_what_the_schema_tier_does(schema: Schema, data: st.DataObject) -> None:
    document = data.draw(spoiled(schema))
    validator = jsonschema.Draft202012Validator(PUBLISHED[f"{schema.kind}.json"])
    errors = [error.message for error in validator.iter_errors(document)]
    faults = [*envelope.check(document, schema.kind, schema.optional), *schema.validate(document.get("spec", {}))]
    # A document of another kind is judged by that kind's schema.
    if document.get("kind") == schema.kind:
        assert schema_tier(schema, document) == (not errors), (errors, faults)
        whole = jsonschema.Draft202012Validator(PUBLISHED["all.json"])
        assert whole.is_valid(document) == (not errors)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
@SLOW
@given(data=st.data())
def test_a_valid_document_is_accepted_by_both(schema: Schema, data: st.DataObject) -> None:
    document = data.draw(documents(schema))
    faults = [*envelope.check(document, schema.kind, schema.optional), *schema.validate(document["spec"])]
    assert faults == []
    jsonschema.Draft202012Validator(PUBLISHED[f"{schema.kind}.json"]).validate(document)


PARTS = st.tuples(st.integers(0, 90_000_000), st.sampled_from(["ms", "s", "m", "h", "d"]))


@settings(deadline=None, max_examples=300)
@given(st.lists(PARTS, min_size=1, max_size=1) | st.lists(PARTS.map(lambda part: (part[0] % 100, part[1])), max_size=5))
def test_the_pattern_of_a_pause_is_never_wrong_about_its_length(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in parts)
    length = milliseconds(text)
    assert isinstance(length, int)
    if re.search(PAUSE_PATTERN, text):
        assert 1 <= length <= PAUSE_MAX
    elif len(parts) == 1:
        assert not 1 <= length <= PAUSE_MAX


@pytest.mark.parametrize(
    "text", ["1ms", "86400000ms", "86400s", "1440m", "24h", "1d", "1m30s", "01h00m05s", "23h59m59s999ms"]
)
def test_pauses(text: str) -> None:
    assert re.search(PAUSE_PATTERN, text)


@pytest.mark.parametrize(
    "text", ["", "0ms", "0h0m", "86400001ms", "86401s", "25h", "2d", "1d1ms", "30s1m", "1", "ms", "1s\n"]
)
def test_what_is_no_pause(text: str) -> None:
    assert not re.search(PAUSE_PATTERN, text)


@settings(deadline=None, max_examples=300)
@given(st.lists(PARTS.map(lambda part: (part[0] % 100_000, part[1])), min_size=1, max_size=4))
def test_the_pattern_of_a_period_is_never_wrong_about_its_length(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in parts)
    length = milliseconds(text)
    assert isinstance(length, int)
    if re.search(PERIOD_PATTERN, text):
        assert PERIOD_MIN <= length <= PAUSE_MAX
    elif len(parts) == 1 and parts[0][1] != "ms":
        assert not PERIOD_MIN <= length <= PAUSE_MAX


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_published_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(PUBLISHED[name])


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
@SLOW
@given(data=st.data())
def test_the_canonical_form_is_canonical(schema: Schema, data: st.DataObject) -> None:
    once = schema.canonical(data.draw(valid_struct(schema.root)))
    assert schema.canonical(once) == once
    assert canonical(schema.canonical(once)) == json.dumps(
        once, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert list(once) == sorted(once)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
@SLOW
@given(data=st.data())
def test_what_equals_its_default_is_neither_digested_nor_recorded(schema: Schema, data: st.DataObject) -> None:
    spec = schema.canonical(data.draw(valid_struct(schema.root)))
    sparse = schema.sparse(spec)
    assert schema.filled(sparse) == spec
    assert schema.canonical(sparse) == spec
    assert schema.digest(schema.filled(sparse)) == schema.digest(spec)
    assert schema.sparse(schema.canonical({**spec, **sparse})) == sparse


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
@SLOW
@given(data=st.data())
def test_key_order_quotes_and_layout_do_not_matter(schema: Schema, data: st.DataObject) -> None:
    document = data.draw(documents(schema))
    digests = {schema.digest(schema.canonical(spec)) for spec in spellings(document, data)}
    assert len(digests) == 1


def spellings(document: JsonMap, data: st.DataObject) -> Iterator[JsonMap]:
    """The spec of one document, read from its text written in several ways."""
    shuffled = shuffle(document, data)
    assert isinstance(shuffled, dict)
    block = to_yaml([document])
    texts = (block, to_yaml([shuffled]), json.dumps(shuffled), f"# a comment\n{block}\n# another\n")
    for text in texts:
        found, problems = read(text.encode(), "a.yaml")
        assert problems == []
        spec = found[0].value["spec"]
        assert isinstance(spec, dict)
        yield spec


def shuffle(value: Json, data: st.DataObject) -> Json:
    if isinstance(value, dict):
        return {key: shuffle(value[key], data) for key in data.draw(st.permutations(sorted(value)))}
    return [shuffle(item, data) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
@SLOW
@given(data=st.data())
def test_what_is_written_is_read_back(schema: Schema, data: st.DataObject) -> None:
    given_documents = data.draw(st.lists(documents(schema), min_size=1, max_size=3))
    found, problems = read(to_yaml(given_documents).encode(), "a.yaml")
    assert problems == []
    assert [each.value for each in found] == given_documents


@SLOW
@given(value=st.dictionaries(st.text(max_size=8), JUNK | st.text(max_size=40), max_size=3))
def test_any_text_is_written_so_that_it_is_read_back(value: JsonMap) -> None:
    text = to_yaml([{"value": value}])
    found, problems = read(text.encode(errors="surrogatepass"), "a.yaml")
    assert problems == [], text
    assert found[0].value == {"value": value}, text


@settings(deadline=None)
@given(name=st.sampled_from(SAMPLES) | st.text(st.sampled_from("ab-_.A0\n"), max_size=66))
def test_one_grammar_of_names(name: str) -> None:
    import re

    assert (re.search(NAME_PATTERN, name) is not None) == (name_fault(name) is None)
    assert (re.search(SESSION_PATTERN, name) is not None) == (session_name_fault(name) is None)
