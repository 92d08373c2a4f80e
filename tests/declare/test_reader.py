"""Reading a file: plain values, where each was written, and every problem of the file in one go."""

import subprocess
import sys
from textwrap import dedent

import pytest

from reconciler.declare import reader
from reconciler.declare.events import engine, pure_engine
from reconciler.declare.reader import Document, read, read_with
from reconciler.model.errors import Problem
from reconciler.model.resource import Position
from tests.declare.documents import documents


def read_one(text: str | bytes) -> Document:
    found, problems = read(text, "team.yaml")
    assert problems == []
    assert len(found) == 1
    return found[0]


def told(text: str | bytes) -> list[str]:
    """Each problem as `line:column code path`."""
    _, problems = read(text, "team.yaml")
    return [line_of(problem) for problem in problems]


def line_of(problem: Problem) -> str:
    assert problem.position is not None
    assert problem.message
    assert problem.hint
    assert problem.rule
    _, line, column = problem.position
    return f"{line}:{column} {problem.code.removeprefix('declare.yaml.')} {problem.path}".strip()


def test_a_document_becomes_plain_values() -> None:
    document = read_one("""
        kind: Instance
        metadata: {name: alice}
        spec:
          env: {LEVEL: debug, RETRIES: 3, RATIO: 0.5}
          skills:
          - review
          - 'test'
          gateway: false
          prompt: |
            Write code.

            Test it.
          note:
    """)
    assert document.value == {
        "kind": "Instance",
        "metadata": {"name": "alice"},
        "spec": {
            "env": {"LEVEL": "debug", "RETRIES": 3, "RATIO": 0.5},
            "skills": ["review", "test"],
            "gateway": False,
            "prompt": "Write code.\n\nTest it.\n",
            "note": None,
        },
    }


def test_yaml_1_1_does_not_leak_in() -> None:
    assert read_one("{a: 010, b: 1:30, c: 1_000, d: '2024-01-01', e: \"yes\", f: y, on: x}").value == {
        "a": 10,
        "b": "1:30",
        "c": "1_000",
        "d": "2024-01-01",
        "e": "yes",
        "f": "y",
        "on": "x",
    }


def test_a_yaml_directive_changes_nothing() -> None:
    assert read_one("%YAML 1.1\n---\na: 010\n").value == {"a": 10}
    assert told("%YAML 1.1\n---\na: yes\n") == ["3:4 ambiguous_word a"]


def test_quoted_scalars_are_text_whatever_they_say() -> None:
    assert read_one("""{a: "1", b: 'true', c: "", d: '~'}""").value == {"a": "1", "b": "true", "c": "", "d": "~"}


def test_json_is_yaml() -> None:
    text = '{"a": 1, "b": [true, null, "x\\ty"], "c": {"1": -2.5e3}, "\\u00e9": "\\ud83d\\ude00"}'
    assert read_one(text).value == {"a": 1, "b": [True, None, "x\ty"], "c": {"1": -2500.0}, "é": "😀"}


def test_json_may_write_a_character_as_a_pair_of_escapes_and_positions_count_what_is_written() -> None:
    text = '{"a": ["\\ud83d\\uDE00", 1, "\\\\\\ud83d\\ude00", 2, "\\\\ud83d\\\\ude00", "\\u00e9"],\n "b": yes_not}'
    json_text = text.replace("yes_not", "3")
    document = read_one(json_text)
    assert document.value == {"a": ["😀", 1, "\\😀", 2, "\\ud83d\\ude00", "é"], "b": 3}
    for index, item in enumerate(('"\\ud83d', "1", '"\\\\\\ud83d', "2", '"\\\\ud83d', '"\\u00e9')):
        assert json_text[document.position(("a", index)).column - 1 :].startswith(item)
    assert document.position(("b",)) == Position("team.yaml", 2, 7)
    # In what is YAML and not JSON the parser's refusal stands, with a way out.
    assert "itself" in read(text, "team.yaml")[1][0].hint
    assert read_one("{a: '\\ud83d\\ude00'}").value == {"a": "\\ud83d\\ude00"}


def test_several_documents_are_counted_and_empty_ones_are_not() -> None:
    found, problems = read("---\n---\n# a comment\n---\na: 1\n...\n---\nb: 2\n---\n", "team.yaml")
    assert problems == []
    assert [(document.index, document.value) for document in found] == [(0, {"a": 1}), (1, {"b": 2})]


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "---\n---\n", b"", b"\xef\xbb\xbf"])
def test_a_file_of_nothing_has_no_documents_and_no_problems(text: str | bytes) -> None:
    assert read(text, "team.yaml") == ([], [])


def test_a_document_that_is_no_mapping_is_a_problem_and_the_others_are_read() -> None:
    found, problems = read("- a\n---\njust text\n---\nnull\n---\na: 1\n", "team.yaml")
    assert [document.value for document in found] == [{"a": 1}]
    assert [line_of(each) for each in problems] == ["1:1 not_a_mapping", "3:1 not_a_mapping", "5:1 not_a_mapping"]


def test_a_thousand_documents_read_the_same_with_either_parser() -> None:
    text = documents(1000)
    by_library, none = read_with(engine(), text, "team.yaml")
    by_python, nor_here = read_with(pure_engine(), text, "team.yaml")
    assert none == nor_here == []
    assert [each.value for each in by_library] == [each.value for each in by_python]
    assert len(by_library) == 1000
    last = ("spec", "skills", 2)
    assert [each.position(last) for each in by_library] == [each.position(last) for each in by_python]


def test_the_parsers_agree_on_every_problem_that_is_ours() -> None:
    text = "a: yes\nb: !x 1\na: 2\n1: z\n<<: {}\nc: &c [*c, *d]\ne: .inf\n"
    assert read_with(engine(), text, "f")[1] == read_with(pure_engine(), text, "f")[1]


# --- positions ------------------------------------------------------------------------------------------------------

TEAM = dedent("""\
    kind: Instance
    spec:
      env:
        LEVEL: debug
      skills: [review, {name: test}]
      prompt: |
        Write.
    """)


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("kind",), (1, 7), (1, 1)),
        (("spec",), (3, 3), (2, 1)),
        (("spec", "env", "LEVEL"), (4, 12), (4, 5)),
        (("spec", "skills"), (5, 11), (5, 3)),
        (("spec", "skills", 0), (5, 12), (5, 12)),
        (("spec", "skills", 1, "name"), (5, 27), (5, 21)),
        (("spec", "prompt"), (6, 11), (6, 3)),
        (("spec", "env", "MISSING", "deep"), (4, 5), (3, 3)),
        (("nothing",), (1, 1), (1, 1)),
    ],
)
def test_every_value_and_key_knows_its_place_and_a_missing_one_its_nearest_ancestor(
    path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]
) -> None:
    document = read_one(TEAM)
    assert document.position(path) == Position("team.yaml", *value)
    assert document.key_position(path) == Position("team.yaml", *key)


def test_positions_are_in_the_file_not_in_the_document() -> None:
    second = read("a: 1\n---\nb: 2\n", "team.yaml")[0][1]
    assert second.position(("b",)) == Position("team.yaml", 3, 4)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_of_the_usual_ways(end: str) -> None:
    document = read_one(end.join(["# é", "a: 1", "b:", "  - 'é': x"]))
    assert document.position(("b", 0, "é")) == Position("team.yaml", 4, 10)


def test_a_byte_order_mark_is_no_column() -> None:
    assert read_one(b"\xef\xbb\xbfa: 1").position(("a",)) == read_one("\ufeffa: 1").position(("a",))
    assert read_one("\ufeffa: 1").position(("a",)) == Position("team.yaml", 1, 4)


def test_positions_do_not_move_when_values_are_changed() -> None:
    document = read_one(TEAM)
    document.value.clear()
    assert document.position(("spec", "skills", 1)) == Position("team.yaml", 5, 20)


def test_scalars_keep_the_text_they_were_written_with() -> None:
    document = read_one("a: 010\nb: True\nc: '0x1'\nd: ~\ne:\nf: [1.50]\ng: {h: i}\nj: &k 1e1\nl: *k\n")
    texts = [document.text((key,)) for key in "abcdefgjl"]
    assert texts == ["010", "True", "0x1", "~", "", None, None, "1e1", "1e1"]
    assert document.text(("f", 0)) == "1.50"
    assert document.text(("missing",)) is None


# --- aliases --------------------------------------------------------------------------------------------------------


def test_an_alias_is_a_copy_placed_where_it_is_used_with_parts_placed_where_they_were_written() -> None:
    document = read_one("base: &b\n  env: {A: 1}\nhere: *b\nname: &n alice\n*n : bob\n")
    assert document.value == {"base": {"env": {"A": 1}}, "here": {"env": {"A": 1}}, "name": "alice", "alice": "bob"}
    assert document.value["base"] is not document.value["here"]
    assert document.position(("here",)) == Position("team.yaml", 3, 7)
    assert document.position(("here", "env", "A")) == Position("team.yaml", 2, 12)
    assert document.key_position(("alice",)) == Position("team.yaml", 5, 1)


def test_an_anchor_may_be_set_anew_and_ends_with_its_document() -> None:
    assert read_one("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").value == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert told("a: &x 1\n---\nb: *x\n") == ["3:4 unknown_alias b"]


def test_a_value_that_contains_itself_is_refused() -> None:
    assert told("a: &x [1, *x]\nb: &y {c: {d: *y}}\n") == ["1:11 recursive_alias a[1]", "2:15 recursive_alias b.c.d"]


def test_the_anchor_of_a_key_can_be_repeated() -> None:
    assert read_one("&k name: 1\nother: *k\n").value == {"name": 1, "other": "name"}


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_key_given_twice_is_told_with_both_places_and_the_first_one_counts() -> None:
    found, problems = read("a: 1\nb: {c: 1, 'c': [2, {d: 3}]}\na: {e: 1}\n", "team.yaml")
    assert found[0].value == {"a": 1, "b": {"c": 1}}
    assert [line_of(each) for each in problems] == ["2:11 duplicate_key b.c", "3:1 duplicate_key a"]
    assert problems[1].message == "the key 'a' is given twice: at team.yaml:1:1 and at team.yaml:3:1"


def test_a_key_given_three_times_is_told_twice() -> None:
    assert told("a: 1\na: 2\na: 3\n") == ["2:1 duplicate_key a", "3:1 duplicate_key a"]


def test_words_and_dates_are_refused_as_values_and_welcome_as_keys() -> None:
    assert told("a: yes\nb: [Off, {c: NO}]\nd: 2024-01-01\n") == [
        "1:4 ambiguous_word a",
        "2:5 ambiguous_word b[0]",
        "2:14 ambiguous_word b[1].c",
        "3:4 timestamp d",
    ]
    assert read_one("on: 1\nNo: 2\n2024-01-01: 3\n").value == {"on": 1, "No": 2, "2024-01-01": 3}


@pytest.mark.parametrize("key", ["1", "1.5", "true", "0x1", ".inf", "9" * 900])
def test_a_key_that_is_not_text_is_refused_and_quoting_it_helps(key: str) -> None:
    assert told(f"{key}: x\n") == [f"1:1 key_type {key}"]
    assert read_one(f"'{key}': x\n").value == {key: "x"}
    assert read_one(f"!!str {key}: x\n").value == {key: "x"}


def test_the_hint_for_a_number_as_a_key_shows_it_quoted() -> None:
    assert read("8080: web", "f")[1][0].hint == 'quote it: "8080"'


@pytest.mark.parametrize("text", ["~: x", "? \n: x", "{null: x}"])
def test_a_missing_key_is_refused(text: str) -> None:
    assert [each.code for each in read(text, "f")[1]] == ["declare.yaml.key_type"]


def test_a_key_that_is_a_collection_is_refused_and_the_rest_is_read() -> None:
    found, problems = read("? [a, yes]\n: b\nc: &x {}\n*x : d\n{e: f}: g\nh: 1\n", "team.yaml")
    assert found[0].value == {"c": {}, "h": 1}
    assert [line_of(each) for each in problems] == [
        "1:3 complex_key ?",
        "1:7 ambiguous_word ?[1]",
        "4:1 complex_key ?",
        "5:1 complex_key ?",
    ]


def test_merge_keys_are_refused_unless_the_name_is_meant() -> None:
    _, problems = read("a: &a {x: 1}\nb:\n  <<: *a\n", "team.yaml")
    assert [line_of(each) for each in problems] == ["3:3 merge_key b.<<"]
    assert "write the fields out" in problems[0].hint
    assert read_one("'<<': x\n\"<<\\u0020\": y\n").value == {"<<": "x", "<< ": "y"}


def test_tags_of_the_core_schema_are_obeyed_and_others_refused() -> None:
    assert read_one("!!map {a: !!str 1, b: !!int '2', c: !!seq [], d: ! yes}").value == {
        "a": "1",
        "b": 2,
        "c": [],
        "d": "yes",
    }
    assert told("a: !foo 1\nb: !!python/object/apply:os.system [x]\nc: !!set {d}\n!x e: 1\nf: !!map []\n") == [
        "1:4 tag a",
        "2:4 tag b",
        "3:4 tag c",
        "4:1 tag e",
        "5:4 tag f",
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a:\n\tb: 1\n", ["2:1"]),
        ("a:\n  \tb: 1\n", ["2:3"]),
        ("a: 1\n\t# a comment\nb: 2\n", ["2:1"]),
        ("a: text\n\tgoes on\n", ["2:1"]),
        ("a: |\n\ttext\n", ["2:1"]),
        ("a: |\n  text\n\tmore\n", ["3:1"]),
        ("{\n\t'a': 1,\n\t'b': 2\n}\n", ["2:1", "3:1"]),
        ("a: {\r\n\tb: 1}\r\n", ["2:1"]),
        ("\ta: 1\n", ["1:1"]),
    ],
)
def test_a_tab_that_indents_is_told_once_where_it_stands(text: str, where: list[str]) -> None:
    assert told(text) == [f"{place} tab" for place in where]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: |\n  x\n  \ty\n", "x\n\ty\n"),
        ("a: >2\n  \tx\n", "\tx\n"),
        ("a: 'x\n\ty'\n", "x y"),
        ('a: "x\n\ty"\n', "x y"),
        ("a:\tx\t# note\n", "x"),
        ("a: x\ty\n", "x\ty"),
    ],
)
def test_a_tab_in_a_block_text_in_quotes_or_inside_a_line_is_welcome(text: str, value: str) -> None:
    assert read_one(text).value == {"a": value}


def test_what_an_open_quote_may_contain_is_not_called_a_tab() -> None:
    assert told("a: 'open\n\ttext\n") == ["3:1 syntax"]


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("a: b: c\n", (1, 5), "quotes"),
        ("a: 1\n b: 2\n", (2, 3), "indentation"),
        ("a: [1, 2\nb: 3\n", (2, 2), "bracket"),
        ("a: @x\n", (1, 4), "quotes"),
        ("a: 'x\n", (2, 1), "close the quotes"),
        ('a: "\\d"\n', (1, 5), "single quotes"),
        ("a: 1\nword\n", (3, 1), "colon"),
        ("a: *\n", (1, 5), "quotes"),
        ("%YAML 2.0\n---\na: 1\n", (1, 1), "drop"),
        ("a: !x!y 1\n", (1, 4), "drop the tag"),
    ],
)
def test_a_syntax_error_says_where_what_and_what_to_do(text: str, where: tuple[int, int], hint: str) -> None:
    found, problems = read(text, "team.yaml")
    assert found == []
    assert [each.code for each in problems] == ["declare.yaml.syntax"]
    assert problems[0].position == Position("team.yaml", *where)
    assert hint in problems[0].hint
    assert problems[0].message.startswith("not valid YAML: ")


def test_a_syntax_error_ends_the_file_but_not_what_came_before() -> None:
    found, problems = read("a: yes\n---\nb: no\nc: ]\n---\nd: off\n", "team.yaml")
    assert [document.value for document in found] == [{"a": "yes"}]
    assert [line_of(each) for each in problems] == ["1:4 ambiguous_word a", "3:4 ambiguous_word b", "4:4 syntax"]


def test_everything_wrong_with_a_file_is_told_in_one_go_in_order() -> None:
    text = "a: yes\na: 1\n---\nb: !x 2\n2: c\n---\n- 1\n---\nd: {\n\te: .nan}\nf: \x07\n"
    assert told(text) == [
        "1:4 ambiguous_word a",
        "2:1 duplicate_key a",
        "4:4 tag b",
        "5:1 key_type 2",
        "7:1 not_a_mapping",
        "10:1 tab",
        "10:5 not_finite d.e",
        "11:4 control_character",
    ]


def test_problems_say_which_rule_they_break() -> None:
    _, problems = read("- 1\n---\na: yes\nb: " + "[" * 70, "f")
    assert [each.rule for each in problems] == ["R-MOD-1", "R-LOAD-4", "R-LOAD-5"]


# --- encodings ------------------------------------------------------------------------------------------------------


def test_bytes_are_utf_8() -> None:
    assert read_one("é: ü\n".encode()).value == {"é": "ü"}


@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_another_unicode_encoding_is_refused(coding: str) -> None:
    found, problems = read("a: 1\n".encode(coding), "f")
    assert found == []
    assert [line_of(each) for each in problems] == ["1:1 encoding"]


def test_bytes_that_are_no_utf_8_are_told_with_their_place() -> None:
    found, problems = read(b"\xef\xbb\xbfa: 1\nb: \xc3\xa9\xe9\n", "team.yaml")
    assert found == []
    assert [line_of(each) for each in problems] == ["2:5 encoding"]


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\ufffe", "\ud800"])
def test_a_control_character_is_told_and_reading_goes_on(character: str) -> None:
    assert told(f"a: x{character}y\nb: yes\n") == ["1:5 control_character", "2:4 ambiguous_word b"]


def test_a_control_character_written_as_an_escape_is_welcome() -> None:
    assert read_one('a: "\\x07\\u2028\\N"').value == {"a": "\x07\u2028\x85"}


# --- the parser -----------------------------------------------------------------------------------------------------


def in_fresh_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_reader_does_not_import_yaml() -> None:
    code = "import sys, reconciler.declare.reader; print([name for name in sys.modules if 'yaml' in name])"
    assert in_fresh_process(code) == "[]"


def test_it_is_known_which_parser_reads() -> None:
    assert reader.C_PARSER is engine().compiled
    with pytest.raises(AttributeError, match="no attribute 'NO_PARSER'"):
        _ = reader.NO_PARSER


def test_without_the_library_the_pure_parser_reads() -> None:
    code = dedent("""
        import sys
        sys.modules["yaml._yaml"] = None
        from reconciler.declare import reader
        documents, problems = reader.read("a: [1, yes]", "f")
        print(reader.C_PARSER, documents[0].value, problems[0].code)
    """)
    assert in_fresh_process(code) == "False {'a': [1, 'yes']} declare.yaml.ambiguous_word"


NESTED = """\
a: {x: [1, {y: 2}, []], z: {}}
list:
- {name: one, deep: {er: 1}}
- two
b:
  c: {d: {e: f}}
  g: ''
a: {x: given twice}
last:
"""


@pytest.mark.parametrize("end", [*range(8, len(NESTED), 3), len(NESTED)])
def test_a_first_question_is_answered_as_any_other(end: int) -> None:
    """Wherever the text is cut off, and also for what is not there."""
    text = NESTED[:end]
    whole, _ = read(text, "team.yaml")
    for document in whole:
        document.key_position(())  # from here on all its places are known
        for path in [*paths_of(document.value), ("a", "x", "w"), ("list", "name"), ("b", "g", "h"), ("no",), ()]:
            fresh = next(found for found in read(text, "team.yaml")[0] if found.index == document.index)
            assert fresh.position(path) == document.position(path), path


def paths_of(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in below for path in paths_of(item, (*at, key)))]
