"""Files as spreadsheets, shipping programs and scripts write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli_environment import CliEnvironment
from harness.outbox.csv_files import (
    CSV_HEADER,
    ITEMS,
    ORDER,
    Invoke,
    ReceivedSignals,
    all_items_csv,
    generate_csv,
    read_rows,
    send_file,
    shipped_row,
    signal_states,
    stored_signals,
)


@pytest.mark.parametrize(
    "content",
    [
        all_items_csv(),
        "\ufeff" + all_items_csv(),
        all_items_csv().replace(",", ";"),
        all_items_csv().replace(",", "\t"),
        all_items_csv().replace(",", "|"),
        all_items_csv().replace("\n", "\r\n"),
        all_items_csv().replace("\n", "\r"),
        "\n\n" + all_items_csv() + "\n\n",
        "sep=;\n" + all_items_csv().replace(",", ";"),
        all_items_csv().replace("T1234", '="T1234').replace("\n", '"\n').replace('tracking"', "tracking"),
        all_items_csv().replace(",T", ",'T"),
        all_items_csv().replace(",T", ",\u00a0T"),
        all_items_csv().replace("type,order,item,tracking", '"Type","Order Number","Reference 1","Tracking\nNumber"'),
    ],
    ids=[
        "plain",
        "bom",
        "semicolon",
        "tab",
        "pipe",
        "crlf",
        "cr",
        "blank lines",
        "sep",
        "excel",
        "quote",
        "nbsp",
        "head",
    ],
)
def test_all_usual_dialects_of_csv_are_read(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals, content: str
) -> None:
    result = send_file(invoke, cli, content)
    assert (result.code, result.out) == (0, ""), result.err
    assert "6 rows: 6 delivered" in result.err
    assert sorted(each["tracking"] for each in received_signals()) == sorted(
        f"T{each['item']}" for each in received_signals()
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
def test_the_encoding_is_detected(invoke: Invoke, cli: CliEnvironment, encoding: str) -> None:
    text = f"type,order,item,cause\ndelay,{ORDER},{ITEMS[0]},Größe falsch\n"
    assert send_file(invoke, cli, text.encode(encoding)).code == 0
    assert json.loads(stored_signals(cli.store)[0]["fields"])["cause"] == "Größe falsch"


def test_a_file_that_is_not_utf8_is_read_as_cp1252_with_a_message(invoke: Invoke, cli: CliEnvironment) -> None:
    text = f"type,order,item,cause\ndelay,{ORDER},{ITEMS[0]},Größe – falsch\n"
    result = send_file(invoke, cli, text.encode("cp1252"))
    assert result.code == 0
    assert "read as cp1252" in result.err
    assert json.loads(stored_signals(cli.store)[0]["fields"])["cause"] == "Größe – falsch"


def test_a_binary_file_is_rejected(invoke: Invoke, cli: CliEnvironment) -> None:
    result = send_file(invoke, cli, b"\x90\x81\xff\x8d,\x9d\n" * 100)
    assert (result.code, result.out) == (2, "")
    assert "contains bytes that are not valid cp1252" in result.err
    assert stored_signals(cli.store) == []


def test_the_encoding_option_is_used(invoke: Invoke, cli: CliEnvironment) -> None:
    text = f"type,order,item,cause\ndelay,{ORDER},{ITEMS[0]},Размер\n"
    assert send_file(invoke, cli, text.encode("cp1251"), "--encoding", "cp1251").code == 0
    assert json.loads(stored_signals(cli.store)[0]["fields"])["cause"] == "Размер"
    assert send_file(invoke, cli, text, "--encoding", "klingon").code == 2


def test_leading_zeros_are_kept(invoke: Invoke, cli: CliEnvironment) -> None:
    text = CSV_HEADER + "ItemShipped,000012340000,000012340001,00000042\n"
    assert send_file(invoke, cli, text, "--queue-only").code == 0
    row = stored_signals(cli.store)[0]
    assert (row["order_id"], row["item"]) == ("000012340000", "000012340001")
    assert json.loads(row["fields"])["tracking"] == "00000042"


@pytest.mark.parametrize("spoilt", ["1,23E+11", "1.23E+11", "1.2345678E11", "1E+11", "1,23e+11"])
@pytest.mark.parametrize("column", ["order", "item", "tracking"])
def test_a_number_shortened_by_a_spreadsheet_is_rejected_with_row_column_and_remedy(
    invoke: Invoke, cli: CliEnvironment, column: str, spoilt: str
) -> None:
    values = {"type": "ItemShipped", "order": ORDER, "item": ITEMS[0], "tracking": "T1", column: spoilt}
    result = send_file(
        invoke, cli, CSV_HEADER.replace(",", ";") + shipped_row(ITEMS[1]).replace(",", ";") + ";".join(values.values())
    )
    assert result.code == 2
    assert f'line 3: column "{column}": {spoilt}' in result.err
    assert "format the column as text" in result.err
    assert not stored_signals(cli.store)


def test_a_tracking_code_that_contains_an_e_is_accepted(invoke: Invoke, cli: CliEnvironment) -> None:
    assert send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0], "1E12345678"), "--queue-only").code == 0


@pytest.mark.parametrize("content", ["", "\n\n", CSV_HEADER, "[]", "  \n[ ]\n"])
def test_a_file_without_rows_is_not_an_error(invoke: Invoke, cli: CliEnvironment, content: str) -> None:
    result = send_file(invoke, cli, content)
    assert result.code == 0, result.err
    assert "has no rows" in result.err


def test_cells_may_contain_quotes_and_line_breaks_and_lines_count_as_in_an_editor(
    invoke: Invoke, cli: CliEnvironment
) -> None:
    text = f'type,order,item,cause\ndelay,{ORDER},{ITEMS[0]},"said ""no"", twice"\n\n'
    text += f'"delay","{ORDER}","{ITEMS[1]}","a\nb"\n'
    text += f"nonsense,{ORDER},{ITEMS[2]},\n"
    result = send_file(invoke, cli, text)
    assert result.code == 2
    assert "line 4: cause" in result.err and "control character" in result.err
    assert 'line 6: there is no signal "nonsense"' in result.err


def test_a_file_cut_off_within_quotes_is_rejected(invoke: Invoke, cli: CliEnvironment) -> None:
    result = send_file(invoke, cli, all_items_csv() + f'ItemShipped,{ORDER},{ITEMS[0]},"T1', "--partial")
    assert (result.code, signal_states(cli.store)) == (2, [])
    assert "line 8" in result.err


@pytest.mark.parametrize("content", ['[{"type": "packed", "item": "1', '[{"type": "packed"}', "{]"])
def test_json_that_is_cut_off_is_rejected(invoke: Invoke, cli: CliEnvironment, content: str) -> None:
    result = send_file(invoke, cli, content, "--partial", name="rows.json")
    assert (result.code, signal_states(cli.store)) == (2, [])


def test_json_and_jsonl_contain_the_fields_of_signals(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    bodies = [
        {"type": "ItemProduce", "order": ORDER, "item": ITEMS[0], "datetime": "2016-01-20 13:00:00 GMT"},
        {"type": "ItemDelay", "order": ORDER, "item": ITEMS[1], "cause": "Reprint", "delay": 24},
        {"type": "ItemCanceled", "order": ORDER, "item": ITEMS[2], "cause": "CancelBookSize", "message": "too wide"},
    ]
    assert send_file(invoke, cli, json.dumps(bodies, indent=2), name="rows.json").code == 0
    assert len(received_signals()) == 3
    assert {"delay": "24", "cause": "Reprint"}.items() <= next(
        e for e in received_signals() if e["type"] == "ItemDelay"
    ).items()
    again = send_file(invoke, cli, "\n".join(map(json.dumps, bodies)), name="rows.jsonl")
    assert "3 rows: 3 duplicate" in again.err
    assert len(received_signals()) == 3


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"type": "packed", "order": 1.23e11, "item": ITEMS[0]}, "in quotes"),
        ({"type": "packed", "order": ORDER, "item": [ITEMS[0]]}, "neither a string"),
        ({"type": "packed", "order": ORDER, "itme": ITEMS[0]}, 'no field "itme"'),
        ("packed", "not an object"),
        ({"order": ORDER, "item": ITEMS[0]}, "names no type"),
        ({"type": "shipped", "order": ORDER, "item": ITEMS[0]}, "tracking is missing"),
        ({"type": "packed", "order": ORDER, "item": ITEMS[0], "tracking": "T1"}, "has no tracking"),
        ({"type": "packed", "order": ORDER, "item": ITEMS[0], "datetime": "2999-01-01"}, "in the future"),
        ({"type": "packed", "order": ORDER, "item": ITEMS[0], "datetime": "soon"}, "is not a time"),
    ],
)
def test_a_wrong_row_is_reported_with_its_line(invoke: Invoke, cli: CliEnvironment, row: Any, message: str) -> None:
    result = send_file(invoke, cli, "[\n" + json.dumps(row) + "\n]", name="rows.json")
    assert result.code == 2
    assert "line 2: " in result.err and message in result.err


def test_a_file_may_come_from_standard_input(cli: CliEnvironment, received_signals: ReceivedSignals) -> None:
    result = cli.run("signal", "send", "-", input=all_items_csv())
    assert (result.code, len(received_signals())) == (0, 6), result.err


@pytest.mark.parametrize("content", ["T1,T2\n", "T1\nT2\n", "\x00\x01"])
def test_a_file_without_a_header_is_not_taken_for_a_file_without_rows(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals, content: str
) -> None:
    result = send_file(invoke, cli, content, "--type", "shipped", "--set", f"order={ORDER}")
    assert (result.code, received_signals()) == (2, [])
    assert "The file has no column of a signal; its first line is" in result.err
    assert "--no-header --columns" in result.err


def test_the_columns_of_a_file_without_a_header_can_be_named(invoke: Invoke, cli: CliEnvironment) -> None:
    rows = f"{ITEMS[0]};T1;{ORDER}\n{ITEMS[1]};T2;{ORDER}\n"
    arguments = ("--no-header", "--columns", "item,tracking,order", "--type", "shipped", "--queue-only")
    assert send_file(invoke, cli, rows, *arguments).code == 0
    assert [row["item"] for row in stored_signals(cli.store)] == list(ITEMS[:2])
    assert send_file(invoke, cli, rows, "--no-header").code == 2


def test_options_supply_the_fields_that_a_file_does_not_have(invoke: Invoke, cli: CliEnvironment) -> None:
    text = "item\n" + "\n".join(ITEMS) + "\n"
    assert send_file(invoke, cli, text, "--type", "ItemPacked", "--set", f"order={ORDER}").code == 0
    assert signal_states(cli.store) == ["delivered"] * 3


def test_a_row_with_too_many_cells_is_rejected(invoke: Invoke, cli: CliEnvironment) -> None:
    result = send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0]).strip() + ",more\n")
    assert result.code == 2
    assert "line 2: the row has 5 cells" in result.err


def test_each_of_thirty_thousand_rows_has_a_result(cli: CliEnvironment) -> None:
    (cli.folder / "many.csv").write_text(generate_csv(30_000), encoding="utf-8")
    result = cli.run("signal", "send", "many.csv", "--queue-only", "--result", "many.result.csv")
    assert result.code == 0, result.err
    rows = read_rows((cli.folder / "many.result.csv").read_text(encoding="utf-8"))
    assert len(rows) == 30_000
    assert [rows[at]["tracking"] for at in (0, 29_999)] == ["T00000000", "T00029999"]
    assert {row["cpctl_state"] for row in rows} == {"queued"}


def test_a_missing_file_is_an_error(invoke: Invoke, cli: CliEnvironment, tmp_path: Path) -> None:
    result = invoke(cli, "signal", "send", "nothing.csv")
    assert result.code == 2
    assert "nothing.csv cannot be read" in result.err
