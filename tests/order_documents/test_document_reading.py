"""Documents are read as they were written, and an error names line and column."""

import json
import time
import tracemalloc

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cpctl.errors import ExitCode, InvalidInput
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
def test_json_and_yaml_read_the_same(document: dict[str, object]) -> None:
    assert read_yaml(json.dumps(document)) == document
    assert read_yaml(json.dumps(document, indent="\t")) == document
    assert read_yaml(yaml.safe_dump(document)) == document


@pytest.mark.parametrize(
    "written",
    [
        "01234",
        "0x1F",
        "1_000",
        "1:30",
        "1.50",
        "1e3",
        "-0",
        ".inf",
        "=",
        "NO",
        "yes",
        "y",
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


def test_yaml_keeps_leading_zeros() -> None:
    assert read_yaml("reference: 000123\nzip: 01067\nphone: 0351123\n") == {
        "reference": "000123",
        "zip": "01067",
        "phone": "0351123",
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False), ("'true'", "true"), ('""', "")],
)
def test_only_null_true_and_false_are_constants_in_yaml(written: str, value: object) -> None:
    assert read_yaml(f"value: {written}") == {"value": value}


def test_json_numbers_keep_their_value() -> None:
    assert read_yaml('{"count": 5, "price": 12.5, "big": 12345678901234567890}') == {
        "count": 5,
        "price": 12.5,
        "big": 12345678901234567890,
    }


def test_a_byte_order_mark_and_empty_lines_before_the_document_are_ignored() -> None:
    for text in ('\n {"a": "é"}', "\n\na: é", "# first\n---\na: é\n...\n", "a: é\r\n"):
        assert read_document("x", b"\xef\xbb\xbf" + text.encode()) == {"a": "é"}


@pytest.mark.parametrize("content", ["", " \n", "\ufeff", "# nothing but words\n", "---\n", "null"])
def test_an_empty_file_is_refused_with_a_hint_to_the_skeleton(content: str) -> None:
    error = reading_error(content)
    assert error.message == "order.yaml is empty."
    assert "--skeleton" in error.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- a: 1\n- a: 2", "line 1, column 1: this is a list"),
        ("# orders\n\n- a: 1", "line 3, column 1: this is a list"),
        ('[{"a": 1}]', "line 1, column 1: this is a list"),
        ("just words", "line 1, column 1: this is a single value"),
        ("<order><item/></order>", "line 1, column 1: this is a single value"),
        ("42", "line 1, column 1: this is a single value"),
        ('"{}"', "line 1, column 1: this is a single value"),
        ("%PDF-1.7\n1 0 obj\n", "line 1, column 7: not YAML"),
        ("a: 1\n\tb: 2", "line 2, column 1: not YAML"),
        ("a: {b: c\nd: 1", "line 2, column 2: not YAML"),
        ("a: 'open\nb: 1\n", "that begins in line 1"),
        ("a: @b", "line 1, column 4: not YAML"),
        ("a: b: c", "line 1, column 5: not YAML"),
        ("a: \x07", "line 1, column 4: not YAML: the character '\\x07'"),
        ("a: 1\na: 2", 'line 2, column 1: "a" is given twice; the first time in line 1'),
        ("x:\n  - {a: 1, b: 2, a: 3}", 'line 2, column 18: "a" is given twice; the first time in line 2'),
        ("a: *b", "line 1, column 4: the alias *b has no anchor"),
        ("a: &b [*b]", "line 1, column 8: the alias *b is within its own anchor"),
        ("a: !!python/object:os.system x", "line 1, column 4: the tag"),
        ("a: !secret x", "line 1, column 4: the tag"),
        ("? [a, b]\n: c", "line 1, column 3: a name must be plain text"),
        ("a: 1\n---\na: 2", "line 2, column 1: a second document starts here"),
        ("a: {<<: text}", "line 1, column 5: `<<` takes the alias of a mapping"),
        ('{"a": 1,}', "line 1, column"),
        ('{"a": 1', "line 1, column 8: not JSON"),
        ('{"a": 1}\n{"a": 2}', "line 2, column 1: not JSON"),
        ("{a: 1}", "line 1, column 2: not JSON"),
        ('{"a": "\t"}', "line 1, column 8: not JSON"),
        (
            '{"a": {"b": 1, "c": [],\n  "b": 2}}',
            'line 2, column 3: "b" is given twice; the first time in line 1',
        ),
        ('{"a": [{"x": "a"}], "a" :2}', 'line 1, column 21: "a" is given twice'),
        ('{"a": 1, "\\u0061": 2}', 'line 1, column 10: "a" is given twice'),
        ('{"a": ["NaN", NaN]}', "line 1, column 15: NaN is not a number"),
        ('{"a": -Infinity}', "line 1, column 7: -Infinity is not a number"),
        ('{"a": 1e999}', "line 1, column 7: 1e999 is not a number"),
        ('{"a": ' + "9" * 5000 + "}", "line 1, column 7: 999"),
    ],
)
def test_an_error_names_line_and_column(content: str, words: str) -> None:
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
def test_a_file_that_is_not_utf8_is_refused_with_line_and_column(content: bytes, place: str, hint: str) -> None:
    error = reading_error(content)
    assert f"{place}: not UTF-8" in error.message
    assert hint in error.hint


def test_a_tab_gets_a_hint() -> None:
    assert "replace the tab by spaces" in reading_error("a:\n\t- b").hint
    assert "tab" not in reading_error("a: @b\t").hint


def test_a_trailing_comma_gets_a_hint() -> None:
    error = reading_error(PUBLISH_DOCUMENT_TEXT)
    assert "line 2" in error.message
    assert "comma" in error.hint + error.message
    assert read_yaml(PUBLISH_DOCUMENT_JSON)["order_reference"] == "200012345"


def test_a_file_of_more_than_fifty_megabytes_is_refused() -> None:
    assert "50 MB" in reading_error(b"a: " + b"x" * MAX_BYTES).message


def test_fifty_megabytes_of_json_are_read() -> None:
    content = b'{"a": "' + b"x" * (MAX_BYTES - 9) + b'"}'
    assert len(content) == MAX_BYTES
    assert len(str(read_document("big", content)["a"])) == MAX_BYTES - 9


def test_a_duplicate_field_in_a_large_document_is_found_in_time() -> None:
    rows = ",\n".join(f'"field{n}": "{{value}}"' for n in range(200_000))
    started = time.monotonic()
    assert "line 200001, column 1" in reading_error("{" + rows + ',\n"field7": 1}').message
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("member", ["x", "'" + "x" * 10_000 + "'"])
def test_aliases_that_multiply_each_other_are_refused(member: str) -> None:
    lines = [f"a0: &a0 [{', '.join([member] * 10)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    tracemalloc.start()
    assert "aliases counted" in reading_error("\n".join(lines)).message
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
        "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 300)),
    ],
)
def test_a_document_that_is_nested_too_deep_is_refused(content: str) -> None:
    message = reading_error(content).message
    assert f"more than {MAX_DEPTH} levels deep" in message or "not JSON" in message


@pytest.mark.parametrize("deep", [MAX_DEPTH - 1, MAX_DEPTH])
def test_json_and_yaml_have_the_same_depth_limit(deep: int) -> None:
    lists = "[" * deep + "]" * deep
    for content in (f'{{"a": {lists}}}', f"a: {lists}"):
        if deep < MAX_DEPTH:
            assert read_yaml(content)
        else:
            assert "deep" in reading_error(content).message


def test_anchors_and_merge_keys_are_resolved() -> None:
    document = read_yaml(
        "base: &base {type: delivery, zip: 01067}\nfirst: *base\n"
        "second:\n  zip: 00001\n  <<: *base\nthird: {<<: [{a: 1}, {a: 2, b: 2}]}\nquoted: {'<<': 1}\n"
    )
    assert document["first"] == {"type": "delivery", "zip": "01067"}
    assert document["second"] == {"zip": "00001", "type": "delivery"}
    assert document["third"] == {"a": "1", "b": "2"}
    assert document["quoted"] == {"<<": "1"}


def test_yaml_reads_the_same_without_its_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "a: 007\nb: [NO, ~, true, 'x']\nc: |\n  two\n  lines\n"
    fast = read_yaml(content)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert read_yaml(content) == fast == {"a": "007", "b": ["NO", None, True, "x"], "c": "two\nlines\n"}


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,&*!|>'\"#-?@ \n\tab1.<", max_size=60).map(str.encode))
def test_any_content_is_read_or_refused_as_invalid_input(content: bytes) -> None:
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
def test_a_document_survives_writing_and_reading(document: dict[str, object]) -> None:
    assert read_yaml(json.dumps(document)) == document
    assert read_yaml(json.dumps(document, ensure_ascii=False)) == document
    assert read_yaml("---\n" + yaml.safe_dump(document, allow_unicode=True)) == document
