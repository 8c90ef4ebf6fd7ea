"""Long arrays read piece by piece hold what the whole holds."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpctl.api import long_lists
from cpctl.api.long_lists import LONG_LIST_MIN_BYTES, LongList, parse_long_list
from cpctl.errors import TemporaryError


def test_only_a_long_array_is_read_piece_by_piece() -> None:
    assert parse_long_list(b'[{"a": 1}]') is None
    assert parse_long_list(b"{" + b" " * LONG_LIST_MIN_BYTES + b"}") is None
    assert parse_long_list(b'[{"a": 1}' + b" " * LONG_LIST_MIN_BYTES + b"]") is not None


def test_a_long_list_can_be_read_again_and_again_and_keeps_what_was_written() -> None:
    records = [{"reference": f"{n:05d}", "note": "x" * 60, "price": "1.10"} for n in range(20_000)]
    found = parse_long_list(json.dumps(records).encode())
    assert found is not None
    assert list(found) == records == list(found)
    written = [text for text, _ in found.chunks()]
    assert len(written) > 10
    assert json.loads(f"[{','.join(written)}]") == records


def test_bytes_that_are_no_text_are_no_list() -> None:
    with pytest.raises(ValueError):
        parse_long_list(b'[{"a": "\xff"}' + b" " * LONG_LIST_MIN_BYTES + b"]")


@pytest.mark.parametrize("tail", ['{"b": }]', '{"b": 1]', '{"b": "}, {"]'])
def test_text_that_is_no_array_after_all_is_told(tail: str) -> None:
    with pytest.raises(TemporaryError, match="not JSON"):
        list(LongList(f'[{{"a": 1}}, {tail}'))


SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('}{,[]":\\ \nab'), max_size=12)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab,{}", max_size=2), inner)
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "}, {"]), VALUES, max_size=3), max_size=8)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(RECORDS, st.integers(1, 30), st.sampled_from([None, 0, 2]))
def test_whatever_stands_in_the_records_the_pieces_hold_all_of_it(records: Any, piece: int, indent: int | None) -> None:
    usual = long_lists.CHUNK_CHARS
    long_lists.CHUNK_CHARS = piece
    try:
        assert list(LongList(json.dumps(records, indent=indent))) == records
    finally:
        long_lists.CHUNK_CHARS = usual
