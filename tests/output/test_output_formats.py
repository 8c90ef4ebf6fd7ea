"""Every output format: what it contains, and what a program reads from it."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from cpctl.output.formats import FORMATS
from cpctl.output.text import TerminalInfo
from cpctl.output.views import make_columns
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal_types import SIGNAL_TYPES
from harness.cli_environment import ITEM, ORDER, CliEnvironment, CliResult

Invoke = Callable[..., CliResult]
LEADING_ZEROS_ID = "000000000001"
# What breaks lines and cells: a backslash, quotes, a comma, a number, markup, non-ASCII letters.
HOSTILE_TEXT = 'C:\\temp\\new "quoted", 1e5 =1+1 [bold]x[/bold] :truck: Größe 再印刷'


@pytest.fixture
def signal_result(cli: CliEnvironment, invoke: Invoke) -> Callable[..., CliResult]:
    """A signal whose ids have leading zeros and whose cause is hostile text, in any format."""
    arguments = [
        "signal",
        "delay",
        LEADING_ZEROS_ID,
        "--order",
        "0007",
        "--cause",
        HOSTILE_TEXT,
        "--at",
        "2026-01-20T13:00:00Z",
    ]
    invoke(cli, *arguments, "--queue-only")

    def run(*options: str, **changes: str | None) -> CliResult:
        return invoke(cli, "outbox", "list", *options, **changes)

    return run


@pytest.mark.parametrize(("name", "size"), [("types", len(SIGNAL_TYPES)), ("causes", len(CANCEL_CAUSES))])
def test_a_list_is_complete_in_every_format(
    unconfigured_cli: CliEnvironment, invoke: Invoke, name: str, size: int
) -> None:
    out = {
        format: invoke(unconfigured_cli, "signal", name, "-o", format).out for format in FORMATS if format != "value"
    }
    data = json.loads(out["json"])
    assert len(data) == size
    assert yaml.safe_load(out["yaml"]) == data
    assert [json.loads(line) for line in out["jsonl"].splitlines()] == data
    header, *rows = csv.reader(io.StringIO(out["csv"]))
    assert [dict(zip(header, row, strict=True)) for row in rows] == data
    assert [line.split("\t") for line in out["tsv"].splitlines()] == [header, *rows]
    assert len(out["table"].splitlines()) == size + 1
    assert out["table"].splitlines()[0].split() == [heading.upper() for heading in header]
    assert invoke(unconfigured_cli, "signal", name).out == out["tsv"], "without a terminal, the default is TSV"


def test_every_type_and_cause_is_listed(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    types = invoke(unconfigured_cli, "signal", "types", "-o", "value", "--query", "[].type").out.splitlines()
    assert types == list(SIGNAL_TYPES)
    causes = invoke(unconfigured_cli, "signal", "causes", "-o", "value", "--query", "[].cause").out.splitlines()
    assert causes == list(CANCEL_CAUSES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("json", "[]\n"),
        ("jsonl", ""),
        ("yaml", "[]\n"),
        ("table", ""),
        ("tsv", "id\ttype\torder\titem\tstate\tdetails\tattempts\thttp_status\tmessage\tdatetime\n"),
        ("csv", "id,type,order,item,state,details,attempts,http_status,message,datetime\n"),
    ],
)
def test_an_empty_list_is_empty_data_and_a_note_on_stderr(
    cli: CliEnvironment, invoke: Invoke, name: str, expected: str
) -> None:
    result = invoke(cli, "outbox", "list", "-o", name)
    assert (result.code, result.out, result.err) == (0, expected, "The outbox is empty.\n")
    assert invoke(cli, "outbox", "list", "-o", name, "-q").err == ""


def test_json_yaml_and_jsonl_keep_every_character(signal_result: Callable[..., CliResult]) -> None:
    readers: dict[str, Callable[[str], Any]] = {
        "json": json.loads,
        "yaml": yaml.safe_load,
        "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    }
    for name, read in readers.items():
        (row,) = read(signal_result("-o", name).out)
        assert (row["order"], row["item"], row["fields"]["cause"]) == ("0007", LEADING_ZEROS_ID, HOSTILE_TEXT), name
        assert row["datetime"] == "2026-01-20 13:00:00 GMT"
    assert "Größe 再印刷" in signal_result("-o", "json").out, "letters stay readable"


def test_csv_reads_back_and_tsv_escapes_what_would_break_it(signal_result: Callable[..., CliResult]) -> None:
    (row,) = csv.DictReader(io.StringIO(signal_result("-o", "csv").out))
    assert (row["order"], row["item"]) == ("0007", LEADING_ZEROS_ID)
    assert HOSTILE_TEXT in row["details"]
    header, line = (line.split("\t") for line in signal_result("-o", "tsv").out.splitlines())
    cells = dict(zip(header, line, strict=True))
    assert (cells["order"], cells["item"], cells["http_status"]) == ("0007", LEADING_ZEROS_ID, "")
    assert cells["details"].replace("\\\\", "\\").endswith(HOSTILE_TEXT)


def test_a_table_shows_data_unchanged(signal_result: Callable[..., CliResult]) -> None:
    """No markup, no emoji, no highlighting; and without a terminal nothing is folded or cut."""
    lines = signal_result("-o", "table").out.splitlines()
    assert len(lines) == 2
    assert HOSTILE_TEXT in lines[1]
    assert f"  {LEADING_ZEROS_ID}  " in lines[1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("[].item", f"{LEADING_ZEROS_ID}\n"),
        ("[0].order", "0007\n"),
        ("[].attempts", "0\n"),
        ("[0].http_status", "\n"),
        ("[].maybe_duplicate", "false\n"),
        ("[?state=='delivered'].id", ""),
        ("length(@)", "1\n"),
        ("nothing", "\n"),
        ("[0].fields.cause", HOSTILE_TEXT + "\n"),
    ],
)
def test_value_writes_one_value_per_line(signal_result: Callable[..., CliResult], query: str, expected: str) -> None:
    result = signal_result("-o", "value", "--query", query)
    assert (result.code, result.out) == (0, expected)


def test_value_needs_a_query_and_single_values(signal_result: Callable[..., CliResult]) -> None:
    result = signal_result("-o", "value")
    assert (result.code, result.out) == (2, "")
    assert "`-o value` needs --query" in result.err
    result = signal_result("-o", "value", "--query", "[]")
    assert (result.code, result.out) == (2, "")
    assert "the result contains lists or objects" in result.err


@pytest.mark.parametrize("name", [format for format in FORMATS if format != "value"])
def test_a_query_is_applied_once_to_the_whole_result(signal_result: Callable[..., CliResult], name: str) -> None:
    out = signal_result("-o", name, "--query", "[].{number: item, order: order} | reverse(@)").out
    assert out.splitlines(), name
    assert LEADING_ZEROS_ID in out
    expected = {
        "json": [{"number": LEADING_ZEROS_ID, "order": "0007"}],
        "jsonl": {"number": LEADING_ZEROS_ID, "order": "0007"},
    }
    if name in expected:
        assert json.loads(out) == expected[name]
    if name in ("tsv", "csv", "table"):
        assert out.split()[0].replace(",", "\t").lower().split("\t")[0] == "number"


def test_a_query_may_make_rows_and_single_values(signal_result: Callable[..., CliResult]) -> None:
    assert (
        signal_result("-o", "tsv", "--query", "[].[item, order]").out == f"column1\tcolumn2\n{LEADING_ZEROS_ID}\t0007\n"
    )
    assert signal_result("-o", "tsv", "--query", "[].item").out == f"value\n{LEADING_ZEROS_ID}\n"
    assert signal_result("-o", "json", "--query", "[0].item").out == f'"{LEADING_ZEROS_ID}"\n'
    assert signal_result("-o", "tsv", "--query", "[0].{a: item}").out == f"field\tvalue\na\t{LEADING_ZEROS_ID}\n"


@pytest.mark.parametrize("query", ["[", "", "a b", "[?id=1]", "nope(@)", "length(`1`)", "sort_by(@, &fields)"])
def test_an_invalid_query_ends_with_2(signal_result: Callable[..., CliResult], query: str) -> None:
    result = signal_result("--query", query, "-o", "json")
    assert (result.code, result.out) == (2, "")
    assert f'--query "{query}"' in result.error["message"]


def test_a_query_nested_too_deeply_ends_with_2(signal_result: Callable[..., CliResult]) -> None:
    result = signal_result("--query", "[" * 5000, "-o", "json")
    assert (result.code, result.out) == (2, "")
    assert "is not valid JMESPath" in result.error["message"]


def test_a_bad_query_or_format_is_found_before_anything_is_accepted(cli: CliEnvironment, invoke: Invoke) -> None:
    for options in (["--query", "["], ["-o", "jsn"], ["-o", "value"], ["--color", "red"]):
        result = invoke(cli, "signal", "packed", ITEM, "--order", ORDER, *options)
        assert (result.code, result.out) == (2, ""), options
        assert not cli.store.exists(), options


def test_a_query_that_fails_on_the_result_keeps_the_status_of_the_work(cli: CliEnvironment, invoke: Invoke) -> None:
    """The signal is accepted and delivered; only showing it failed. The status must not mean `nothing was sent`."""
    result = invoke(cli, "signal", "packed", ITEM, "--order", ORDER, "--query", "length(`1`)")
    assert (result.code, result.out) == (0, "")
    assert "cannot be applied to this result" in result.err
    assert [row["state"] for row in invoke(cli, "signal", "history", "-o", "json").data] == ["delivered"]


@pytest.mark.parametrize(("typed", "near"), [("jsn", "json"), ("tabel", "table"), ("YAML", "yaml")])
def test_an_unknown_format_suggests_the_nearest(
    unconfigured_cli: CliEnvironment, invoke: Invoke, typed: str, near: str
) -> None:
    result = invoke(unconfigured_cli, "signal", "types", "-o", typed)
    assert (result.code, result.out) == (2, "")
    assert f'There is no output format "{typed}"' in result.err
    assert f'Did you mean "{near}"?' in result.err


@pytest.mark.parametrize("name", [format for format in FORMATS if format != "value"])
def test_the_result_of_a_signal_is_a_list_in_every_format(cli: CliEnvironment, invoke: Invoke, name: str) -> None:
    out = invoke(cli, "signal", "packed", ITEM, "--order", ORDER, "-o", name).out
    if name == "json":
        (row,) = json.loads(out)
        names = ["id", "type", "order", "item", "state", "attempts", "http_status", "message", "datetime"]
        assert list(row)[: len(names)] == names
        assert (row["id"], row["state"], row["attempts"], row["http_status"]) == ("1", "delivered", 1, 200)
    if name == "yaml":
        assert yaml.safe_load(out)[0]["item"] == ITEM, "an id stays a text, also in YAML"
    for word in (ITEM, ORDER, "delivered", "ItemPacked"):
        assert word in out


@pytest.mark.parametrize("name", [format for format in FORMATS if format != "value"])
@pytest.mark.parametrize("records", [[], [{"a": "x\ny", "b": {"c": [1, 2]}}, {"a": "Größe", "b": {}}]])
def test_a_generator_is_written_as_the_same_list(name: str, records: list[Any]) -> None:
    view, pipe = make_columns("a", "b"), TerminalInfo(is_tty=False, has_color=False)
    write = FORMATS[name][0]
    assert "".join(write(iter(records), view, pipe)) == "".join(write(records, view, pipe))
