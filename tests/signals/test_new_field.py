"""A field that is added to the table of fields is known everywhere: commands, files, dry run and help."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from harness.cli_environment import ITEM, ORDER, CliEnvironment, CliResult

ReceivedSignals = Callable[[], list[dict[str, Any]]]
# What a new row of the table does: it is there before the other modules read the table.
ADD_FIELD = """
import sys
from cpctl.signals import signal_types as table

table.SIGNAL_FIELDS["weight"] = table.SignalField(
    "weight", "GRAMS", "weight of the parcel in grams", table.FieldFormat.TEXT, 9, "850",
    optional={"ItemShipped": ("2.0",)}, headings=("Gewicht",),
)
for row in list(table.SIGNAL_TYPES.values()):
    table.SIGNAL_TYPES[row.name] = table.make_signal_type(
        row.name, row.command, row.meaning, row.is_repeatable, row.alias_by_version
    )
from cpctl.cli.main import main

sys.exit(main(sys.argv[1:]))
"""
SHIPPED = ("signal", "shipped", ITEM, "--order", ORDER, "--tracking", "T1")
FIELDS = {"type": "ItemShipped", "order": ORDER, "item": ITEM, "tracking": "T1"}


def run_with_field(cli: CliEnvironment, *arguments: str) -> CliResult:
    done = subprocess.run(
        [sys.executable, "-c", ADD_FIELD, *arguments],
        capture_output=True,
        text=True,
        env=cli.process_environment(),
        cwd=cli.folder,
    )
    return CliResult(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        (*SHIPPED, "--weight", "850"),
        (*SHIPPED, "-f", "weight=850"),
        ("signal", "send", "rows.csv"),
        ("signal", "send", "rows.json"),
        ("signal", "send", "plain.csv", "--set", "weight=850"),
    ],
    ids=["option", "-f", "CSV", "JSON", "--set"],
)
def test_a_new_field_reaches_the_service(
    cli: CliEnvironment, received_signals: ReceivedSignals, arguments: tuple[str, ...]
) -> None:
    head, row = ",".join(FIELDS), ",".join(FIELDS.values())
    (cli.folder / "rows.csv").write_text(f"{head},Gewicht\n{row},850\n", encoding="utf-8")
    (cli.folder / "plain.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    (cli.folder / "rows.json").write_text(json.dumps([{**FIELDS, "weight": 850}]), encoding="utf-8")
    dry_run = run_with_field(cli, *arguments, "--dry-run", "-o", "json")
    assert [call["body"]["weight"] for call in dry_run.data] == ["850"], dry_run.err
    assert received_signals() == []
    result = run_with_field(cli, *arguments)
    assert result.code == 0, result.err
    (body,) = received_signals()
    assert body["weight"] == "850"
    assert list(body)[-2:] == ["weight", "datetime"]


def test_a_new_field_is_checked_like_the_others(cli: CliEnvironment, received_signals: ReceivedSignals) -> None:
    result = run_with_field(cli, *SHIPPED, "--weight", "1" * 10)
    assert (result.code, received_signals()) == (2, [])
    assert "weight" in result.err and "more than 9" in result.err
    other = run_with_field(cli, "signal", "packed", ITEM, "--order", ORDER, "-f", "weight=850")
    assert "version 2.0 has no weight in ItemPacked" in other.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("signal", "shipped", "--help"), "--weight GRAMS"),
        (("signal", "types", "-o", "json"), '"optional": "weight"'),
        (("explain", "shipped", "-o", "json"), "weight of the parcel in grams"),
        (("help", "files"), "Gewicht"),
    ],
)
def test_a_new_field_is_shown_by_the_help(cli: CliEnvironment, arguments: tuple[str, ...], text: str) -> None:
    result = run_with_field(cli, *arguments)
    assert result.code == 0, result.err
    assert text in result.out
