"""The times of a shift: days of 23 and 25 hours, nights, and invalid days."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from harness.cli_environment import CliEnvironment, CliResult
from harness.outbox.store_rows import HOUR_MS, fill_store, signal_row, to_ms

Invoke = Callable[..., CliResult]
# Central Europe: the clock goes forward on 29 March 2026 at 02:00, and back on 25 October at 03:00.
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
# Lord Howe Island turns the clock by half an hour.
LORD_HOWE = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"


def run_report(cli: CliEnvironment, *arguments: str, zone: str = BERLIN) -> Any:
    return cli.run_json("signal", "report", *arguments, TZ=zone)


@pytest.mark.parametrize(
    ("day", "hours", "begin", "end"),
    [
        ("2026-01-20", 24, "2026-01-20T00:00:00+01:00", "2026-01-21T00:00:00+01:00"),
        ("2026-03-29", 23, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("2026-10-25", 25, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
    ],
)
def test_a_day_has_as_many_hours_as_the_local_clock_gives_it(
    cli: CliEnvironment, day: str, hours: int, begin: str, end: str
) -> None:
    fill_store(cli.store, (signal_row(str(n), to_ms(begin) + n * HOUR_MS) for n in range(-1, hours + 1))).close()
    found = run_report(cli, "--date", day)
    assert (found["from"], found["to"]) == (begin, end)
    assert [hour["count"] for hour in found["hours"]] == [1] * hours
    assert found["totals"]["accepted"] == hours
    names = [hour["hour"] for hour in found["hours"]]
    assert len(set(names)) == hours
    if hours == 23:
        assert names[1:3] == ["01:00", "03:00"]
    if hours == 25:
        assert names[1:5] == ["01:00", "02:00+0200", "02:00+0100", "03:00"]


def test_a_clock_change_of_half_an_hour_loses_no_signal(cli: CliEnvironment) -> None:
    begin = to_ms("2026-04-05T00:00:00+11:00")
    fill_store(cli.store, (signal_row(str(n), begin + n * HOUR_MS // 2) for n in range(-1, 50))).close()
    found = run_report(cli, "--date", "2026-04-05", zone=LORD_HOWE)
    assert datetime.fromisoformat(found["to"]).timestamp() * 1000 - begin == 24.5 * HOUR_MS
    assert sum(hour["count"] for hour in found["hours"]) == found["totals"]["accepted"] == 49


def test_a_night_shift_ends_on_the_next_day_and_has_full_hours(cli: CliEnvironment) -> None:
    begin = to_ms("2026-01-20T22:15:00+01:00")
    fill_store(cli.store, (signal_row(str(n), begin + n * HOUR_MS // 4) for n in range(-1, 32))).close()
    found = run_report(cli, "--date", "2026-01-20", "--from", "22:15", "--to", "6:00")
    assert (found["from"], found["to"]) == ("2026-01-20T22:15:00+01:00", "2026-01-21T06:00:00+01:00")
    assert [hour["hour"] for hour in found["hours"]] == ["22:00", "23:00", *(f"0{n}:00" for n in range(6))]
    assert [hour["count"] for hour in found["hours"]] == [3, 4, 4, 4, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("options", "begin", "end"),
    [
        (["--from", "14:00"], "20T14:00", "21T00:00"),
        (["--to", "14:00"], "20T00:00", "20T14:00"),
        (["--to", "24:00"], "20T00:00", "21T00:00"),
        (["--from", "06:00", "--to", "14:00"], "20T06:00", "20T14:00"),
        (["--from", "06:00", "--to", "06:00"], "20T06:00", "21T06:00"),
    ],
)
def test_from_and_to_limit_the_day(
    cli: CliEnvironment, invoke: Invoke, options: list[str], begin: str, end: str
) -> None:
    found = invoke(cli, "signal", "report", "--date", "2026-01-20", *options, "-o", "json").data
    assert (found["from"][8:16], found["to"][8:16]) == (begin, end)


def test_today_and_yesterday_are_days_of_the_local_clock(cli: CliEnvironment) -> None:
    now = datetime.now().astimezone()
    assert cli.run_json("signal", "report")["date"] == f"{now:%Y-%m-%d}"
    dates = [cli.run_json("signal", "report", "--date", word)["date"] for word in ("today", "Yesterday")]
    assert (datetime.fromisoformat(dates[0]) - datetime.fromisoformat(dates[1])).days == 1


def test_an_empty_day_is_a_success_with_zeros_and_a_note(cli: CliEnvironment) -> None:
    result = cli.run("signal", "report", "--date", "2026-01-20", "-o", "json")
    assert result.code == 0
    assert set(result.data["totals"].values()) == {0}
    assert result.data["types"] == result.data["operators"] == []
    assert [hour["count"] for hour in result.data["hours"]] == [0] * 24
    assert result.data["registered_to_shipped"]["median_seconds"] is None
    assert "No signal was accepted from 2026-01-20 00:00" in result.err
    assert not cli.store.exists(), "a report creates no store"


def test_a_shift_in_the_future_is_noted(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "signal", "report", "--date", "2099-01-20")
    assert result.code == 0
    assert "in the future" in result.err


def test_only_signals_of_the_profile_count(cli: CliEnvironment) -> None:
    at = to_ms("2026-01-20T12:00:00+01:00")
    fill_store(cli.store, [signal_row("1", at), signal_row("2", at, profile="other")]).close()
    assert run_report(cli, "--date", "2026-01-20")["totals"]["accepted"] == 1


def test_a_report_can_be_limited_to_a_station_or_operator(cli: CliEnvironment, invoke: Invoke) -> None:
    at = to_ms("2026-01-20T12:00:00+00:00")
    benches = [("bench-1", "Ana"), ("bench-1", "Ben"), ("bench-2", "Ana"), ("", "")]
    rows = [signal_row(str(n), at, station=s, operator=o) for n, (s, o) in enumerate(benches)]
    fill_store(cli.store, rows).close()

    def accepted(*options: str) -> int:
        arguments = ("signal", "report", "--date", "2026-01-20", "-o", "json", *options)
        found: int = invoke(cli, *arguments).data["totals"]["accepted"]
        return found

    assert accepted() == accepted("--all-stations") == 4
    assert accepted("--station", "bench-1") == 2
    assert accepted("--station", "bench-1", "--operator", "Ana") == 1
    assert accepted("--operator", "") == 1
    nobody = invoke(cli, "signal", "report", "--date", "2026-01-20", "--station", "bench-9", "--operator", "Zoe")
    assert nobody.code == 0
    assert 'No signal was accepted at station "bench-9" by operator "Zoe" from' in nobody.err


@pytest.mark.parametrize(
    "options",
    [
        ["--date", "tomorrow-ish"],
        ["--date", "2026-02-30"],
        ["--date", "20260120"],
        ["--date", "20.01.2026"],
        ["--date", "0001-01-01"],
        ["--date", "9999-12-31"],
        ["--date", ""],
        ["--date", "٢٠٢٦-01-20"],
        ["--from", "25:00"],
        ["--from", "24:00"],
        ["--from", "12:60"],
        ["--to", "noon"],
        ["--to", "6"],
        ["--station", "a", "--all-stations"],
        ["--operator", "\udcff"],
    ],
)
def test_an_invalid_time_is_refused_by_name(cli: CliEnvironment, options: list[str]) -> None:
    result = cli.run("signal", "report", *options, TZ="UTC")
    assert (result.code, result.out) == (2, ""), result.err
    assert options[0] in result.err
