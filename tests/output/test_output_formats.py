"""Every format of a result: what it holds, and what a program makes of it."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from worlds import ITEM, ORDER, Result, World

from cpctl.output.formats import FORMATS
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal_types import SIGNAL_TYPES

Inside = Callable[..., Result]
ZEROS = "000000000001"
# What spoils lines and cells: a backslash, quotes, a comma, what looks like a number, markup and letters of all kinds.
NASTY = 'C:\\temp\\new "quoted", 1e5 =1+1 [bold]x[/bold] :truck: Größe 再印刷'


@pytest.fixture
def told(world: World, inside: Inside) -> Callable[..., Result]:
    """The result of a signal whose ids have leading zeros and whose words are nasty, in any format."""
    words = ["signal", "delay", ZEROS, "--order", "0007", "--cause", NASTY, "--at", "2026-01-20T13:00:00Z"]
    inside(world, *words, "--queue-only")

    def run(*options: str, **changes: str | None) -> Result:
        return inside(world, "outbox", "list", *options, **changes)

    return run


@pytest.mark.parametrize(("name", "size"), [("types", len(SIGNAL_TYPES)), ("causes", len(CANCEL_CAUSES))])
def test_a_table_of_cpctl_itself_is_whole_in_every_format(
    empty_world: World, inside: Inside, name: str, size: int
) -> None:
    out = {each: inside(empty_world, "signal", name, "-o", each).out for each in FORMATS if each != "value"}
    data = json.loads(out["json"])
    assert len(data) == size
    assert yaml.safe_load(out["yaml"]) == data
    assert [json.loads(line) for line in out["jsonl"].splitlines()] == data
    header, *rows = csv.reader(io.StringIO(out["csv"]))
    assert [dict(zip(header, row, strict=True)) for row in rows] == data
    assert [line.split("\t") for line in out["tsv"].splitlines()] == [header, *rows]
    assert len(out["table"].splitlines()) == size + 1
    assert out["table"].splitlines()[0].split() == [heading.upper() for heading in header]
    assert inside(empty_world, "signal", name).out == out["tsv"], "without a terminal, the default is TSV"


def test_every_type_and_cause_is_listed(empty_world: World, inside: Inside) -> None:
    types = inside(empty_world, "signal", "types", "-o", "value", "--query", "[].type").out.splitlines()
    assert types == list(SIGNAL_TYPES)
    causes = inside(empty_world, "signal", "causes", "-o", "value", "--query", "[].cause").out.splitlines()
    assert causes == list(CANCEL_CAUSES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("json", "[]\n"),
        ("jsonl", ""),
        ("yaml", "[]\n"),
        ("table", ""),
        ("tsv", "id\ttype\torder\titem\tstate\tsaid\tattempts\thttp_status\tmessage\tdatetime\n"),
        ("csv", "id,type,order,item,state,said,attempts,http_status,message,datetime\n"),
    ],
)
def test_an_empty_list_is_empty_data_and_a_word_on_stderr(
    world: World, inside: Inside, name: str, expected: str
) -> None:
    result = inside(world, "outbox", "list", "-o", name)
    assert (result.code, result.out, result.err) == (0, expected, "The outbox is empty.\n")
    assert inside(world, "outbox", "list", "-o", name, "-q").err == ""


def test_json_yaml_and_jsonl_keep_every_character(told: Callable[..., Result]) -> None:
    readers: dict[str, Callable[[str], Any]] = {
        "json": json.loads,
        "yaml": yaml.safe_load,
        "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    }
    for name, read in readers.items():
        (row,) = read(told("-o", name).out)
        assert (row["order"], row["item"], row["fields"]["cause"]) == ("0007", ZEROS, NASTY), name
        assert row["datetime"] == "2026-01-20 13:00:00 GMT"
    assert "Größe 再印刷" in told("-o", "json").out, "letters stay readable"


def test_csv_reads_back_and_tsv_escapes_what_would_break_it(told: Callable[..., Result]) -> None:
    (row,) = csv.DictReader(io.StringIO(told("-o", "csv").out))
    assert (row["order"], row["item"]) == ("0007", ZEROS)
    assert NASTY in row["said"]
    header, line = (line.split("\t") for line in told("-o", "tsv").out.splitlines())
    cells = dict(zip(header, line, strict=True))
    assert (cells["order"], cells["item"], cells["http_status"]) == ("0007", ZEROS, "")
    assert cells["said"].replace("\\\\", "\\").endswith(NASTY)


def test_a_table_shows_data_as_it_is(told: Callable[..., Result]) -> None:
    """No markup, no emoji, no highlighting; and without a terminal nothing is folded or cut."""
    lines = told("-o", "table").out.splitlines()
    assert len(lines) == 2
    assert NASTY in lines[1]
    assert f"  {ZEROS}  " in lines[1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("[].item", f"{ZEROS}\n"),
        ("[0].order", "0007\n"),
        ("[].attempts", "0\n"),
        ("[0].http_status", "\n"),
        ("[].maybe_duplicate", "false\n"),
        ("[?state=='delivered'].id", ""),
        ("length(@)", "1\n"),
        ("nothing", "\n"),
        ("[0].fields.cause", NASTY + "\n"),
    ],
)
def test_value_writes_one_value_a_line(told: Callable[..., Result], query: str, expected: str) -> None:
    result = told("-o", "value", "--query", query)
    assert (result.code, result.out) == (0, expected)


def test_value_needs_a_query_and_single_values(told: Callable[..., Result]) -> None:
    result = told("-o", "value")
    assert (result.code, result.out) == (2, "")
    assert "`-o value` needs --query" in result.err
    result = told("-o", "value", "--query", "[]")
    assert (result.code, result.out) == (2, "")
    assert "the result holds structures" in result.err


@pytest.mark.parametrize("name", [each for each in FORMATS if each != "value"])
def test_a_query_is_applied_once_to_the_whole_result(told: Callable[..., Result], name: str) -> None:
    out = told("-o", name, "--query", "[].{number: item, order: order} | reverse(@)").out
    assert out.splitlines(), name
    assert ZEROS in out
    expected = {
        "json": [{"number": ZEROS, "order": "0007"}],
        "jsonl": {"number": ZEROS, "order": "0007"},
    }
    if name in expected:
        assert json.loads(out) == expected[name]
    if name in ("tsv", "csv", "table"):
        assert out.split()[0].replace(",", "\t").lower().split("\t")[0] == "number"


def test_a_query_may_make_rows_and_single_values(told: Callable[..., Result]) -> None:
    assert told("-o", "tsv", "--query", "[].[item, order]").out == f"column1\tcolumn2\n{ZEROS}\t0007\n"
    assert told("-o", "tsv", "--query", "[].item").out == f"value\n{ZEROS}\n"
    assert told("-o", "json", "--query", "[0].item").out == f'"{ZEROS}"\n'
    assert told("-o", "tsv", "--query", "[0].{a: item}").out == f"field\tvalue\na\t{ZEROS}\n"


@pytest.mark.parametrize("query", ["[", "", "a b", "[?id=1]", "nope(@)", "length(`1`)", "sort_by(@, &fields)"])
def test_a_query_that_is_no_jmespath_or_does_not_fit_ends_with_2(told: Callable[..., Result], query: str) -> None:
    result = told("--query", query, "-o", "json")
    assert (result.code, result.out) == (2, "")
    assert f'--query "{query}"' in result.error["message"]


def test_a_query_too_deep_to_read_ends_with_2(told: Callable[..., Result]) -> None:
    result = told("--query", "[" * 5000, "-o", "json")
    assert (result.code, result.out) == (2, "")
    assert "is not JMESPath" in result.error["message"]


def test_a_bad_query_or_format_is_found_before_anything_is_accepted(world: World, inside: Inside) -> None:
    for options in (["--query", "["], ["-o", "jsn"], ["-o", "value"], ["--color", "red"]):
        result = inside(world, "signal", "packed", ITEM, "--order", ORDER, *options)
        assert (result.code, result.out) == (2, ""), options
        assert not world.store.exists(), options


def test_a_query_that_does_not_fit_the_result_leaves_the_work_its_status(world: World, inside: Inside) -> None:
    """The signal is accepted and delivered; only showing it failed. That must not read as `nothing was sent`."""
    result = inside(world, "signal", "packed", ITEM, "--order", ORDER, "--query", "length(`1`)")
    assert (result.code, result.out) == (0, "")
    assert "cannot be applied to this result" in result.err
    assert [row["state"] for row in inside(world, "signal", "history", "-o", "json").data] == ["delivered"]


@pytest.mark.parametrize(("typed", "near"), [("jsn", "json"), ("tabel", "table"), ("YAML", "yaml")])
def test_an_unknown_format_names_the_nearest(empty_world: World, inside: Inside, typed: str, near: str) -> None:
    result = inside(empty_world, "signal", "types", "-o", typed)
    assert (result.code, result.out) == (2, "")
    assert f'There is no output format "{typed}"' in result.err
    assert f'Did you mean "{near}"?' in result.err


@pytest.mark.parametrize("name", [each for each in FORMATS if each != "value"])
def test_the_result_of_a_signal_is_a_list_in_every_format(world: World, inside: Inside, name: str) -> None:
    out = inside(world, "signal", "packed", ITEM, "--order", ORDER, "-o", name).out
    if name == "json":
        (row,) = json.loads(out)
        names = ["id", "type", "order", "item", "state", "attempts", "http_status", "message", "datetime"]
        assert list(row)[: len(names)] == names
        assert (row["id"], row["state"], row["attempts"], row["http_status"]) == ("1", "delivered", 1, 200)
    if name == "yaml":
        assert yaml.safe_load(out)[0]["item"] == ITEM, "an id stays a text, also in YAML"
    for word in (ITEM, ORDER, "delivered", "ItemPacked"):
        assert word in out
