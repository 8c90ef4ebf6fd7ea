"""Error bodies in every known shape, and Retry-After."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpctl.api.error_bodies import MAX_MESSAGE_LENGTH, parse_error_message, parse_retry_after

NOW = datetime(2026, 1, 20, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": {"type": "order_unknown", "info": "no such order"}}', "order_unknown: no such order"),
        ('{"status": {"errors": {"order": "unknown", "item": "missing"}}}', "order: unknown, item: missing"),
        ('{"errors": {"order": ["unknown", "too long"]}}', "order: unknown, too long"),
        ('{"errors": [{"type": "a", "info": "b"}, {"type": "c", "info": "d"}]}', "a: b, c: d"),
        ('{"errors": ["one", "two"]}', "one, two"),
        ('{"error": "invalid_request"}', "invalid_request"),
        ('{"error": null, "message": "later"}', "later"),
        ('{"error": {}, "errors": [], "info": "words"}', "words"),
        ('{"detail": "not here"}', "not here"),
        ('{"message": {"code": 42}}', "code: 42"),
        ('{"order": "00042"}', ""),
        ("{}", ""),
        ("[]", ""),
        ("null", "null"),
        ('"only words"', "only words"),
        ("", ""),
        ("  plain\n\t text  ", "plain text"),
        ("<html><head><title>502 Bad &amp; Gateway</title></head><body>x</body></html>", "502 Bad & Gateway"),
        ("<TITLE lang='en'>\n Two\n lines </TITLE>", "Two lines"),
        ("<h1>Oh</h1><p>no</p>", "Oh no"),
        ("a < b", "a < b"),
        ('{"error": "cut', '{"error": "cut'),
    ],
)
def test_the_message_is_found_in_every_shape(body: str, message: str) -> None:
    assert parse_error_message(body.encode()) == message


@pytest.mark.parametrize("number", ["1.10", "9007199254740993", "1e400", "-0"])
def test_numbers_keep_the_form_in_which_they_were_written(number: str) -> None:
    assert parse_error_message(f'{{"error": {number}}}'.encode()) == number
    assert parse_error_message(f'{{"errors": {{"delay": [{number}]}}}}'.encode()) == f"delay: {number}"


def test_a_long_message_is_cut() -> None:
    assert parse_error_message(b"x" * 100_000) == "x" * MAX_MESSAGE_LENGTH + "…"


@pytest.mark.parametrize(
    "body", [b"<" * 65536, b"<title>" * 9000, b"<title" * 9000, b'{"a":' * 20_000, b"[" * 65536, b"&" * 65536]
)
def test_a_hostile_page_is_parsed_in_time(body: bytes) -> None:
    begin = time.process_time()
    parse_error_message(body)
    assert time.process_time() - begin < 0.5


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "errors", "type", "info", "x"]), inner),
)


@settings(derandomize=True, database=None, deadline=None)
@given(body=st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_gives_one_short_line(body: bytes) -> None:
    message = parse_error_message(body)
    assert len(message) <= MAX_MESSAGE_LENGTH + 1
    assert message == " ".join(message.split())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 120 ", 120),
        ("Tue, 20 Jan 2026 13:02:00 GMT", 120),
        ("Tuesday, 20-Jan-26 13:02:00 GMT", 120),
        ("Tue, 20 Jan 2026 14:02:00 +0100", 120),
        ("Tue, 20 Jan 2026 12:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("99999999999999999999", None),
        ("Tue, 99 Jan 2026 13:02:00 GMT", None),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


@settings(derandomize=True, database=None)
@given(header=st.text() | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{1,3} Jan [0-9]{1,6} [0-9:]{1,9} [-+A-Z0-9]{1,9}\Z"))
def test_any_retry_after_is_none_or_not_negative(header: str) -> None:
    found = parse_retry_after(header, NOW)
    assert found is None or found >= 0
