"""Documents arrive as they were written, and a bad file is named with its line and column."""

import json
import time
import tracemalloc

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cpctl.errors import ExitCode, InvalidInput
from cpctl.order_documents import reader as reading
from cpctl.order_documents.reader import MAX_BYTES, MAX_DEPTH, read_document
from examples.core_requests import make_order, make_quote
from examples.document_examples import PUBLISH_DOCUMENT_JSON, PUBLISH_DOCUMENT_TEXT


def reading_error(content: str | bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_document("order.yaml", content if isinstance(content, bytes) else content.encode())
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.message.startswith("order.yaml")
    return caught.value


def read_yaml(content: str) -> dict[str, object]:
    return read_document("order.yaml", content.encode())


@pytest.mark.parametrize("document", [make_order(), make_quote()])
def test_the_documents_examples_are_read_alike_as_json_and_as_yaml(document: dict[str, object]) -> None:
    assert read_yaml(json.dumps(document)) == document
    assert read_yaml(json.dumps(document, indent="\t")) == document
    assert read_yaml(yaml.safe_dump(document)) == document


@pytest.mark.parametrize(
    "written",
    [
        "01234",
        "007",
        "0x1F",
        "0o17",
        "1_000",
        "1:30",
        "1.50",
        "1e3",
        ".5",
        "1.0",
        "-0",
        ".inf",
        ".nan",
        "=",
        "NO",
        "no",
        "yes",
        "On",
        "off",
        "y",
        "N",
        "2026-01-20",
        "2026-01-20T13:00:00",
        "+49351",
        "12345678901234567890123",
    ],
)
def test_yaml_keeps_the_text_that_was_written(written: str) -> None:
    assert read_yaml(f"value: {written}") == {"value": written}
    assert read_yaml(f"value: '{written}'") == {"value": written}
    assert read_yaml(f"value: !!str {written}") == {"value": written}


def test_leading_zeros_live_through_yaml_in_zip_reference_and_phone() -> None:
    assert read_yaml("reference: 000123\nzip: 01067\nphone: 0351123\n") == {
        "reference": "000123",
        "zip": "01067",
        "phone": "0351123",
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False), ("'true'", "true"), ('""', "")],
)
def test_only_nothing_true_and_false_are_words_of_yaml(written: str, value: object) -> None:
    assert read_yaml(f"value: {written}") == {"value": value}


def test_numbers_of_json_keep_their_value() -> None:
    assert read_yaml('{"count": 5, "price": 12.5, "big": 12345678901234567890}') == {
        "count": 5,
        "price": 12.5,
        "big": 12345678901234567890,
    }


def test_a_byte_order_mark_and_blank_lines_before_the_document_do_no_harm() -> None:
    for text in ('\n {"a": "é"}', "\n\na: é", "# first\n---\na: é\n...\n", "a: é\r\n"):
        assert read_document("x", b"\xef\xbb\xbf" + text.encode()) == {"a": "é"}


@pytest.mark.parametrize("content", ["", " \n", "\ufeff", "# nothing but words\n", "---\n", "null"])
def test_an_empty_file_says_so_and_shows_how_to_begin(content: str) -> None:
    error = reading_error(content)
    assert error.message == "order.yaml is empty."
    assert "--skeleton" in error.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- a: 1\n- a: 2", "line 1, column 1: a list stands here"),
        ("# orders\n\n- a: 1", "line 3, column 1: a list stands here"),
        ('[{"a": 1}]', "line 1, column 1: a list stands here"),
        ("just words", "line 1, column 1: a single value stands here"),
        ("<order><item/></order>", "line 1, column 1: a single value stands here"),
        ("42", "line 1, column 1: a single value stands here"),
        ('"{}"', "line 1, column 1: a single value stands here"),
        ("%PDF-1.7\n1 0 obj\n", "line 1, column 7: not YAML"),
        ("a: 1\n\tb: 2", "line 2, column 1: not YAML"),
        ("a: {b: c\nd: 1", "line 2, column 2: not YAML"),
        ("a: 'open\nb: 1\n", "that begins in line 1"),
        ("a: @b", "line 1, column 4: not YAML"),
        ("a: b: c", "line 1, column 5: not YAML"),
        ("a: \x07", "line 1, column 4: not YAML: the character '\\x07'"),
        ("a: 1\na: 2", 'line 2, column 1: "a" stands here a second time; the first is in line 1'),
        ("x:\n  - {a: 1, b: 2, a: 3}", 'line 2, column 18: "a" stands here a second time; the first is in line 2'),
        ("a: *b", "line 1, column 4: the alias *b has no anchor"),
        ("a: &b [*b]", "line 1, column 8: the alias *b stands within its own anchor"),
        ("a: !!python/object:os.system x", "line 1, column 4: the tag"),
        ("a: !secret x", "line 1, column 4: the tag"),
        ("? [a, b]\n: c", "line 1, column 3: the name of a field must be plain text"),
        ("a: 1\n---\na: 2", "line 2, column 1: a second document starts here"),
        ("a: {<<: text}", "line 1, column 5: `<<` takes the alias of an object"),
        ('{"a": 1,}', "line 1, column"),
        ('{"a": 1', "line 1, column 8: not JSON"),
        ('{"a": 1}\n{"a": 2}', "line 2, column 1: not JSON"),
        ("{a: 1}", "line 1, column 2: not JSON"),
        ('{"a": "\t"}', "line 1, column 8: not JSON"),
        (
            '{"a": {"b": 1, "c": [],\n  "b": 2}}',
            'line 2, column 3: "b" stands here a second time; the first is in line 1',
        ),
        ('{"a": [{"x": "a"}], "a" :2}', 'line 1, column 21: "a" stands here a second time'),
        ('{"a": 1, "\\u0061": 2}', 'line 1, column 10: "a" stands here a second time'),
        ('{"a": ["NaN", NaN]}', "line 1, column 15: NaN is no number"),
        ('{"a": -Infinity}', "line 1, column 7: -Infinity is no number"),
        ('{"a": 1e999}', "line 1, column 7: 1e999 is no number"),
        ('{"a": ' + "9" * 5000 + "}", "line 1, column 7: 999"),
    ],
)
def test_a_bad_document_is_named_with_line_and_column(content: str, words: str) -> None:
    assert words in reading_error(content).message


@pytest.mark.parametrize(
    ("content", "place", "hint"),
    [
        ('{"a": "é"}'.encode("latin-1"), "line 1, column 8", "UTF-8"),
        ("a: 1\nbé: ü\n".encode() + b"c: \xff", "line 3, column 4", "UTF-8"),
        ("a: 1".encode("utf-16"), "line 1, column 1", "UTF-16"),
        (b"\x89PNG\r\n\x1a\n", "line 1, column 1", "UTF-8"),
    ],
)
def test_a_file_that_is_not_utf8_is_named_with_its_place(content: bytes, place: str, hint: str) -> None:
    error = reading_error(content)
    assert f"{place}: not UTF-8" in error.message
    assert hint in error.hint


def test_a_tab_gets_a_hint() -> None:
    assert "blanks in place of the tab" in reading_error("a:\n\t- b").hint
    assert "tab" not in reading_error("a: @b\t").hint


def test_the_comma_too_much_in_the_documents_own_example_gets_a_hint() -> None:
    error = reading_error(PUBLISH_DOCUMENT_TEXT)
    assert "line 2" in error.message
    assert "comma" in error.hint + error.message
    assert read_yaml(PUBLISH_DOCUMENT_JSON)["order_reference"] == "200012345"


def test_more_than_fifty_megabytes_are_refused_with_the_limit() -> None:
    assert "50 MB" in reading_error(b"a: " + b"x" * MAX_BYTES).message


def test_fifty_megabytes_of_json_are_read() -> None:
    content = b'{"a": "' + b"x" * (MAX_BYTES - 9) + b'"}'
    assert len(content) == MAX_BYTES
    assert len(str(read_document("big", content)["a"])) == MAX_BYTES - 9


def test_a_name_that_stands_twice_in_a_large_document_is_found_in_time() -> None:
    rows = ",\n".join(f'"field{n}": "{{value}}"' for n in range(200_000))
    started = time.monotonic()
    assert "line 200001, column 1" in reading_error("{" + rows + ',\n"field7": 1}').message
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("member", ["x", "'" + "x" * 10_000 + "'"])
def test_aliases_that_repeat_each_other_stay_bounded(member: str) -> None:
    lines = [f"a0: &a0 [{', '.join([member] * 10)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    tracemalloc.start()
    assert "its aliases counted" in reading_error("\n".join(lines)).message
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        '{"a": ' + "[" * 100_000,
        '{"a": ' + "[" * 300 + "]" * 300 + "}",
        '{"a": ' + '{"a":' * 5000 + "1" + "}" * 5001,
        "a: " + "[" * 100_000,
        "a: " + "{a: " * 100_000,
        "\n".join(" " * n + "a:" for n in range(300)),
    ],
)
def test_a_document_that_nests_without_end_is_refused(content: str) -> None:
    message = reading_error(content).message
    assert f"more than {MAX_DEPTH} deep" in message or "not JSON" in message


@pytest.mark.parametrize("deep", [MAX_DEPTH - 1, MAX_DEPTH])
def test_the_depth_is_limited_alike_in_json_and_yaml(deep: int) -> None:
    lists = "[" * deep + "]" * deep
    for content in (f'{{"a": {lists}}}', f"a: {lists}"):
        if deep < MAX_DEPTH:
            assert read_yaml(content)
        else:
            assert "deep" in reading_error(content).message


def test_anchors_and_merges_say_a_thing_once() -> None:
    document = read_yaml(
        "base: &base {type: delivery, zip: 01067}\nfirst: *base\n"
        "second:\n  zip: 00001\n  <<: *base\nthird: {<<: [{a: 1}, {a: 2, b: 2}]}\nquoted: {'<<': 1}\n"
    )
    assert document["first"] == {"type": "delivery", "zip": "01067"}
    assert document["second"] == {"zip": "00001", "type": "delivery"}
    assert document["third"] == {"a": "1", "b": "2"}
    assert document["quoted"] == {"<<": "1"}


def test_yaml_without_its_c_library_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "a: 007\nb: [NO, ~, true, 'x']\nc: |\n  two\n  lines\n"
    fast = read_yaml(content)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert read_yaml(content) == fast == {"a": "007", "b": ["NO", None, True, "x"], "c": "two\nlines\n"}


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,&*!|>'\"#-?@ \n\tab1.<", max_size=60).map(str.encode))
def test_no_content_at_all_makes_reading_fail_in_another_way(content: bytes) -> None:
    try:
        assert isinstance(read_document("any", content), dict)
    except InvalidInput as error:
        assert error.message.startswith("any")


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
DOCUMENT_TREES = st.recursive(
    TEXTS | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, DOCUMENT_TREES, min_size=1, max_size=5))
def test_what_is_written_is_what_is_read(document: dict[str, object]) -> None:
    assert read_yaml(json.dumps(document)) == document
    assert read_yaml(json.dumps(document, ensure_ascii=False)) == document
    assert read_yaml("---\n" + yaml.safe_dump(document, allow_unicode=True)) == document


def test_the_limit_is_the_one_that_is_promised() -> None:
    assert reading.MAX_BYTES == 50_000_000
