"""Reading webhooks: complete or refused with a reason, with the key checked and removed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpctl.signals.webhook_types import WEBHOOK_TYPES
from cpctl.webhooks.events.event import MAX_NESTING, InvalidWebhook, WrongKey, read_event
from harness.webhooks.stored_events import KEY, NOON_MS, make_event, webhook_body

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, database=None)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELD_NAMES = st.sampled_from(["type", "order", "item", "order_reference", "item_reference", "datetime"]) | st.text(
    max_size=5
)

# CloudSignal Webhooks 2.0, "Parameters" of each signal without the key: required, optional.
_ORDER_FIELDS = ("type", "order", "order_reference", "datetime")
_ITEM_FIELDS = ("type", "order", "item", "order_reference", "item_reference", "datetime")
DOCUMENTED_FIELDS = {
    "CloudprinterOrderValidated": (_ORDER_FIELDS, ()),
    "CloudprinterOrderCanceled": ((*_ORDER_FIELDS, "cause", "message"), ()),
    "ItemValidated": (_ITEM_FIELDS, ()),
    "ItemProduce": (_ITEM_FIELDS, ()),
    "ItemProduced": (_ITEM_FIELDS, ()),
    "ItemPacked": (_ITEM_FIELDS, ()),
    "ItemShipped": ((*_ITEM_FIELDS, "tracking", "shipping_option"), ()),
    "ItemError": (_ITEM_FIELDS, ("cause", "delay")),
    "ItemCanceled": (_ITEM_FIELDS, ("cause", "message")),
}


def test_the_types_of_2_0_are_the_nine_documented_ones_with_their_fields() -> None:
    known = {name: row for name, row in WEBHOOK_TYPES.items() if row.since_version == "2.0"}
    assert set(known) == set(DOCUMENTED_FIELDS)
    for name, (required, optional) in DOCUMENTED_FIELDS.items():
        assert (set(known[name].required), len(known[name].required)) == (set(required), len(required)), name
        # The tracking URL came with 2.1.
        assert tuple(each for each in known[name].optional if each != "url") == optional, name


@pytest.mark.parametrize("kind", WEBHOOK_TYPES)
def test_every_type_is_read_with_all_its_fields(kind: str) -> None:
    row = WEBHOOK_TYPES[kind]
    body = {name: f"{name} 1" for name in (*row.required, *row.optional)}
    body |= {"type": kind, "datetime": "2026-01-20T12:00:00+00:00"}
    read = read_event(json.dumps({"apikey": KEY, **body}).encode(), [KEY])
    assert (read.type, read.order, read.order_reference) == (kind, "order 1", "order_reference 1")
    assert (read.item, read.item_reference) == (("item 1", "item_reference 1") if row.is_about_item else ("", ""))
    assert (read.event_at, read.stage) == (NOON_MS, row.stage)
    assert json.loads(read.payload) == body


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-20T12:00:00+00:00", NOON_MS),
        ("2026-01-20T12:00:00Z", NOON_MS),
        ("2026-01-20T13:00:00+0100", NOON_MS),
        ("2026-01-20T13:00:00+01:00", NOON_MS),
        ("2026-01-20T12:00:00", NOON_MS),
        ("2026-01-20 12:00:00 GMT", NOON_MS),
        ("2026-01-20T12:00:00.250Z", NOON_MS + 250),
        ("1969-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2026-02-30T12:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_of_both_versions_are_read(text: str, at: int | None) -> None:
    assert make_event(datetime=text).event_at == at
    assert json.loads(make_event(datetime=text).payload)["datetime"] == text


@pytest.mark.parametrize("value", [None, 7, True, [], {}, 1.5])
def test_a_field_that_is_not_text_does_not_refuse_an_event(value: Any) -> None:
    read = read_event(json.dumps({**webhook_body(), "order": value, "datetime": value, "type": value}).encode(), [KEY])
    assert read.order == ("" if value in (None, [], {}) or value is True else str(value))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b"null", "not an object"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"apikey": NaN}', "NaN"),
        (b"[" * 100_000, "nested"),
        (b'{"a": ' + b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1) + b"}", "nested"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_anything_but_a_json_object_is_refused_with_a_reason(body: bytes, words: str) -> None:
    with pytest.raises(InvalidWebhook, match=words):
        read_event(body, [KEY])


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", KEY[:-1], KEY.upper(), 1, [KEY], {"a": KEY}, "\ud800"])
def test_a_wrong_key_is_refused(key: Any) -> None:
    with pytest.raises(WrongKey):
        read_event(json.dumps({**webhook_body(), "apikey": key}).encode(), [KEY, "another-key"])


def test_both_keys_are_accepted_and_make_the_same_event() -> None:
    old, new = (
        read_event(json.dumps(webhook_body() | {"apikey": key}).encode(), ["key-old-1", "key-new-1"])
        for key in ("key-old-1", "key-new-1")
    )
    assert old == new
    with pytest.raises(WrongKey):
        read_event(json.dumps(webhook_body()).encode(), [])


@SETTINGS
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read_event(body, [KEY])
    except (InvalidWebhook, WrongKey):
        pass


@SETTINGS
@given(st.dictionaries(FIELD_NAMES, JSON_VALUES, max_size=6))
def test_any_json_object_with_the_key_is_read(fields: dict[str, Any]) -> None:
    read = read_event(json.dumps({**fields, "apikey": KEY}).encode(), [KEY])
    assert set(json.loads(read.payload)) == set(fields) - {"apikey"}
    for text in (read.type, read.order, read.item, read.order_reference, read.item_reference):
        text.encode()
        assert "\0" not in text


@st.composite
def _objects_with_key(draw: st.DrawFn, key: str) -> dict[str, Any]:
    """An object with a key anywhere: in values, names, texts and lists, or as a number."""
    around = st.tuples(st.text(max_size=3), st.text(max_size=3)).map(lambda pair: pair[0] + key + pair[1])
    leaf = around | st.just(key) | (st.just(int(key)) if key.isdigit() else st.nothing())
    value = leaf | st.lists(leaf, max_size=2) | st.dictionaries(around, leaf, max_size=2)
    return draw(st.dictionaries(FIELD_NAMES | around, value, min_size=1, max_size=4))


@SETTINGS
@given(
    st.sampled_from([KEY, '"quoted\\key', "12345678", "0f" * 16]).flatmap(
        lambda key: st.tuples(st.just(key), _objects_with_key(key))
    )
)
def test_the_key_is_never_stored_in_any_field(drawn: tuple[str, dict[str, Any]]) -> None:
    key, fields = drawn
    read = read_event(json.dumps({**fields, "apikey": key}).encode(), [key, "another-key"])
    everything = json.dumps(json.loads(read.payload), ensure_ascii=False) + json.dumps(
        read._asdict(), ensure_ascii=False
    )
    for text in (everything, *_all_texts(json.loads(read.payload))):
        assert key not in text.replace(read.digest, "")


def _all_texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for name, each in value.items() for text in [name, *_all_texts(each)]]
    return [text for each in value for text in _all_texts(each)] if isinstance(value, list) else [str(value)]


def test_a_key_that_is_the_start_of_another_is_masked_too() -> None:
    short, long = "abcdefgh", "abcdefghij"
    for keys in ([short, long], [long, short]):
        read = read_event(json.dumps({**webhook_body(), "apikey": short, "note": f"my {long}"}).encode(), keys)
        assert json.loads(read.payload)["note"] == "my ***"


@st.composite
def _equivalent_json(draw: st.DrawFn, fields: dict[str, Any]) -> bytes:
    """The same object formatted differently: order of names, spaces, escapes, byte order mark."""
    names = draw(st.permutations(list(fields)))
    text = json.dumps(
        {name: fields[name] for name in names},
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.none() | st.integers(0, 4)),
    )
    escaped = text.replace("a", "\\u0061") if draw(st.booleans()) else text
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf", b" \r\n"])) + escaped.encode() + b"\n"


SIMPLE_OBJECTS = st.dictionaries(
    st.sampled_from(["order", "item", "note", "Ünïcode"]), st.text('aäb "/', max_size=5) | st.integers(0, 9)
)


@SETTINGS
@given(SIMPLE_OBJECTS.flatmap(lambda fields: st.tuples(st.just(fields), _equivalent_json({**fields, "apikey": KEY}))))
def test_the_digest_does_not_depend_on_the_formatting(drawn: tuple[dict[str, Any], bytes]) -> None:
    fields, body = drawn
    plain = read_event(json.dumps({"apikey": KEY, **fields}).encode(), [KEY])
    assert read_event(body, [KEY]).digest == plain.digest


def test_different_content_has_a_different_digest() -> None:
    bodies = [
        webhook_body(),
        webhook_body(tracking="1"),
        webhook_body(tracking="2"),
        webhook_body(order="9"),
        webhook_body(item="09"),
        webhook_body(item="9"),
        webhook_body(item=9),
    ]
    assert len({read_event(json.dumps(body).encode(), [KEY]).digest for body in bodies}) == len(bodies)


def test_long_numbers_keep_every_digit() -> None:
    read = read_event(b'{"apikey": "%s", "order": 12345678901234567890, "x": 1e999}' % KEY.encode(), [KEY])
    assert read.order == "12345678901234567890"
    assert json.loads(read.payload) == {"order": "12345678901234567890", "x": "1e999"}
