"""Which time a shift is: days of 23 and 25 hours, nights, and words that are no day."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from report_rows import HOUR, filled, ms, signal_row
from worlds import Result, World

Inside = Callable[..., Result]
# Central Europe: the clock goes forward on 29 March 2026 at 02:00, and back on 25 October at 03:00.
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
# Lord Howe Island turns the clock by half an hour.
LORD_HOWE = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"


def report(world: World, *arguments: str, zone: str = BERLIN) -> Any:
    return world.json("signal", "report", *arguments, TZ=zone)


@pytest.mark.parametrize(
    ("day", "hours", "begin", "end"),
    [
        ("2026-01-20", 24, "2026-01-20T00:00:00+01:00", "2026-01-21T00:00:00+01:00"),
        ("2026-03-29", 23, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("2026-10-25", 25, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
    ],
)
def test_a_day_has_as_many_hours_as_the_local_clock_gives_it(
    world: World, day: str, hours: int, begin: str, end: str
) -> None:
    filled(world.store, (signal_row(str(n), ms(begin) + n * HOUR) for n in range(-1, hours + 1))).close()
    found = report(world, "--date", day)
    assert (found["from"], found["to"]) == (begin, end)
    assert [each["count"] for each in found["hours"]] == [1] * hours
    assert found["totals"]["accepted"] == hours
    names = [each["hour"] for each in found["hours"]]
    assert len(set(names)) == hours
    if hours == 23:
        assert names[1:3] == ["01:00", "03:00"]
    if hours == 25:
        assert names[1:5] == ["01:00", "02:00+0200", "02:00+0100", "03:00"]


def test_a_clock_that_is_turned_by_half_an_hour_loses_no_signal(world: World) -> None:
    begin = ms("2026-04-05T00:00:00+11:00")
    filled(world.store, (signal_row(str(n), begin + n * HOUR // 2) for n in range(-1, 50))).close()
    found = report(world, "--date", "2026-04-05", zone=LORD_HOWE)
    assert datetime.fromisoformat(found["to"]).timestamp() * 1000 - begin == 24.5 * HOUR
    assert sum(each["count"] for each in found["hours"]) == found["totals"]["accepted"] == 49


def test_a_night_shift_goes_past_midnight_and_its_hours_begin_at_full_hours(world: World) -> None:
    begin = ms("2026-01-20T22:15:00+01:00")
    filled(world.store, (signal_row(str(n), begin + n * HOUR // 4) for n in range(-1, 32))).close()
    found = report(world, "--date", "2026-01-20", "--from", "22:15", "--to", "6:00")
    assert (found["from"], found["to"]) == ("2026-01-20T22:15:00+01:00", "2026-01-21T06:00:00+01:00")
    assert [each["hour"] for each in found["hours"]] == ["22:00", "23:00", *(f"0{n}:00" for n in range(6))]
    assert [each["count"] for each in found["hours"]] == [3, 4, 4, 4, 4, 4, 4, 4]


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
def test_from_and_to_cut_a_day(world: World, inside: Inside, options: list[str], begin: str, end: str) -> None:
    found = inside(world, "signal", "report", "--date", "2026-01-20", *options, "-o", "json").data
    assert (found["from"][8:16], found["to"][8:16]) == (begin, end)


def test_today_and_yesterday_are_days_of_the_local_clock(world: World) -> None:
    now = datetime.now().astimezone()
    assert world.json("signal", "report")["date"] == f"{now:%Y-%m-%d}"
    dates = [world.json("signal", "report", "--date", word)["date"] for word in ("today", "Yesterday")]
    assert (datetime.fromisoformat(dates[0]) - datetime.fromisoformat(dates[1])).days == 1


def test_an_empty_day_is_a_success_with_zeros_and_a_word(world: World) -> None:
    result = world.run("signal", "report", "--date", "2026-01-20", "-o", "json")
    assert result.code == 0
    assert set(result.data["totals"].values()) == {0}
    assert result.data["types"] == result.data["operators"] == []
    assert [each["count"] for each in result.data["hours"]] == [0] * 24
    assert result.data["registered_to_shipped"]["median_seconds"] is None
    assert "No signal was accepted from 2026-01-20 00:00" in result.err
    assert not world.store.exists(), "looking makes no store"


def test_a_shift_that_is_yet_to_come_says_so(world: World, inside: Inside) -> None:
    result = inside(world, "signal", "report", "--date", "2099-01-20")
    assert result.code == 0
    assert "yet to come" in result.err


def test_only_the_profile_in_force_counts(world: World) -> None:
    at = ms("2026-01-20T12:00:00+01:00")
    filled(world.store, [signal_row("1", at), signal_row("2", at, profile="other")]).close()
    assert report(world, "--date", "2026-01-20")["totals"]["accepted"] == 1


def test_one_station_or_one_operator_can_be_asked_for(world: World, inside: Inside) -> None:
    at = ms("2026-01-20T12:00:00+00:00")
    benches = [("bench-1", "Ana"), ("bench-1", "Ben"), ("bench-2", "Ana"), ("", "")]
    rows = [signal_row(str(n), at, station=s, operator=o) for n, (s, o) in enumerate(benches)]
    filled(world.store, rows).close()

    def accepted(*options: str) -> int:
        words = ("signal", "report", "--date", "2026-01-20", "-o", "json", *options)
        found: int = inside(world, *words).data["totals"]["accepted"]
        return found

    assert accepted() == accepted("--all-stations") == 4
    assert accepted("--station", "bench-1") == 2
    assert accepted("--station", "bench-1", "--operator", "Ana") == 1
    assert accepted("--operator", "") == 1
    nobody = inside(world, "signal", "report", "--date", "2026-01-20", "--station", "bench-9", "--operator", "Zoe")
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
def test_what_is_no_time_is_refused_and_named(world: World, options: list[str]) -> None:
    result = world.run("signal", "report", *options, TZ="UTC")
    assert (result.code, result.out) == (2, ""), result.err
    assert options[0] in result.err
