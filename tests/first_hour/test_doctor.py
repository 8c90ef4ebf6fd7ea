"""`cpctl doctor`: each thing that can be wrong, found under its name and with its remedy, and nothing is changed."""

import os
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conversation import Conversation
from strange_servers import certificate, proxy, telling_time
from worlds import NOBODY, Result, World, configuration, environment_in, shipped

from cpctl.cli.commands.doctor.checks import CHECKS
from cpctl.diagnostics.network_checks import ConnectionSettings, check_connection, probe_connection
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
# The authorities of the machine these tests run on are none of their business.
OWN = {"REQUESTS_CA_BUNDLE": None, "CURL_CA_BUNDLE": None}


def files_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All files of a folder with content and mode."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mode) for file in found}


def told(result: Result, check: str) -> list[dict[str, Any]]:
    """What was found under a name."""
    return [row for row in result.data if row["check"] == check]


def one(result: Result, check: str) -> dict[str, Any]:
    """The one thing that was found under a name."""
    (row,) = told(result, check)
    return row


def examine(inside: Inside, world: World, *more: str, **changes: str | None) -> Result:
    before = files_in(world.folder)
    result = inside(world, "doctor", "-o", "json", *more, **{**OWN, **changes})
    assert files_in(world.folder) == before, "the doctor changes nothing"
    assert not [key for key in API_KEYS.values() if key in result.out + result.err]
    return result


def test_a_shop_in_order_is_ok_in_every_line(world: World, inside: Inside, sandbox: Sandbox) -> None:
    result = examine(inside, world)
    assert (result.code, result.err) == (0, "")
    assert [row["check"] for row in result.data] == [check.name for check in CHECKS]
    assert {row["level"] for row in result.data} == {"ok"}
    assert all(set(row) == {"check", "level", "said", "remedy"} for row in result.data)
    assert one(result, "service")["said"] == "the service accepts the core key"
    assert "TLS is not used, as nothing leaves this machine" in one(result, "connection")["said"]
    paths = {entry["path"] for entry in sandbox.state.journal.list_entries()}
    assert paths == {"/", "/cloudcore/1.0/shipping/levels"}
    assert not world.store.exists()


def test_without_a_profile_the_machine_is_looked_at_and_the_next_step_is_named(
    empty_world: World, inside: Inside
) -> None:
    result = examine(inside, empty_world)
    assert result.code == 3
    assert "`cpctl profile init` makes one" in one(result, "configuration")["said"]
    assert "the network is left out" in result.err
    assert {"disk", "store", "terminal"} <= {row["check"] for row in result.data}
    assert not {"name", "connection", "core key"} & {row["check"] for row in result.data}


@pytest.mark.parametrize("words", ["--offline", "--dry-run"])
def test_offline_and_in_a_dry_run_nobody_is_called(world: World, inside: Inside, sandbox: Sandbox, words: str) -> None:
    result = examine(inside, world, words)
    assert result.code == 0
    assert "connection" not in {row["check"] for row in result.data}
    assert sandbox.state.journal.list_entries() == []


def test_a_dry_run_runs_no_key_command(world: World, inside: Inside) -> None:
    world.configure(f"profiles:\n  here:\n    core: {{api_key_command: [touch, {world.folder}/ran]}}\n")
    assert "which a dry run does not run" in one(examine(inside, world, "--dry-run"), "core key")["said"]
    assert not (world.folder / "ran").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profiles:\n  here: [\n", "line 3"),
        ("profiles:\n  here: {timeout: soon}\n", 'timeout "soon" must be a number'),
        ("profiles:\n  a: {}\n  b: {}\n", "there are several profiles and no default_profile"),
    ],
)
def test_a_configuration_that_cannot_work_is_a_failure(world: World, inside: Inside, text: str, said: str) -> None:
    world.configure(text)
    result = examine(inside, world)
    assert result.code == 3
    assert one(result, "configuration")["level"] == "failure"
    assert said in one(result, "configuration")["said"]


def test_a_configuration_that_others_can_read_is_named_with_its_remedy(world: World, inside: Inside) -> None:
    world.config.chmod(0o644)
    result = examine(inside, world)
    assert result.code == 3
    assert one(result, "configuration")["remedy"] == f"Type: chmod 600 {world.config}"
    assert one(result, "permissions")["remedy"] == f"Type: chmod 600 {world.config}"


def test_a_store_and_folders_that_others_can_use_are_warned_of(world: World, inside: Inside) -> None:
    inside(world, *shipped(), "--queue-only")
    world.store.chmod(0o644)
    world.store.parent.chmod(0o777)
    result = examine(inside, world, "--offline")
    remedies = {row["remedy"] for row in told(result, "permissions")}
    assert {f"Type: chmod 600 {world.store}", f"Type: chmod go-w {world.store.parent}"} <= remedies


def test_the_remedy_for_one_key_in_two_places_names_the_profile(world: World, inside: Inside) -> None:
    world.configure(
        "profiles:\n  here: {}\n  second: {core: {api_key: one-key-for-both}, signal: {api_key: one-key-for-both}}\n"
    )
    row = next(
        row for row in told(examine(inside, world, "--offline", "-p", "second"), "configuration") if row["remedy"]
    )
    assert row["remedy"] == "`cpctl profile set-key signal --profile second` takes the right one."


def test_each_key_is_looked_at(world: World, inside: Inside, sandbox: Sandbox) -> None:
    world.configure(
        f"profiles:\n  here:\n    base_url: {sandbox.base_url}\n    core: {{api_key_file: nowhere}}\n"
        '    webhooks: {api_key_command: ["false"]}\n'
    )
    result = examine(inside, world)
    assert result.code == 3
    assert "nowhere cannot be read" in one(result, "core key")["said"]
    assert one(result, "signal key")["level"] == "warning"
    assert "`cpctl profile set-key signal --profile here`" in one(result, "signal key")["remedy"]
    assert "ended with status 1" in one(result, "webhooks key")["said"]
    assert told(result, "service") == []


def test_the_same_key_twice_is_warned_of(world: World, inside: Inside, sandbox: Sandbox) -> None:
    text = configuration(sandbox.base_url).replace(API_KEYS["signal"], API_KEYS["core"])
    world.configure(text)
    found = told(examine(inside, world, "--offline"), "configuration")
    assert [row["level"] for row in found] == ["ok", "warning"]


def test_a_key_that_the_service_refuses_ends_with_4(world: World, inside: Inside) -> None:
    result = examine(inside, world, CPCTL_CORE_KEY="a-key-of-nobody-here")
    assert result.code == 4
    row = one(result, "service")
    assert "the service refused the key (403)" in row["said"]
    assert "`cpctl profile set-key core`" in row["remedy"]


@pytest.mark.parametrize("status", [500, 503, 429, 404])
def test_a_service_that_fails_is_not_a_wrong_key(world: World, inside: Inside, sandbox: Sandbox, status: int) -> None:
    sandbox.add_fault(make_fault("status", status=status))
    result = examine(inside, world, "--timeout", "2")
    assert result.code == 75
    assert f"({status})" in one(result, "service")["said"]


def test_no_network_ends_with_75_and_one_failure(world: World, inside: Inside) -> None:
    world.configure(configuration(NOBODY))
    result = examine(inside, world)
    assert result.code == 75
    assert [row["check"] for row in result.data if row["level"] == "failure"] == ["connection"]
    assert "Connection refused" in one(result, "connection")["said"]


def test_a_name_that_nobody_knows_is_said(world: World, inside: Inside) -> None:
    world.configure(configuration("https://nobody.invalid"))
    result = examine(inside, world, "--timeout", "5", NO_PROXY="*")
    assert result.code == 75
    row = one(result, "name")
    assert row["level"] == "failure"
    assert "nobody.invalid" in row["said"]


def test_a_service_that_never_answers_costs_only_the_time_that_was_given(world: World, inside: Inside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.configure(configuration(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        result = examine(inside, world, "--timeout", "0.5")
    assert result.code == 75
    assert "no answer in time" in one(result, "connection")["said"]


@pytest.mark.parametrize(
    ("off", "level", "code", "said"),
    [
        (0, "ok", 0, "as the service's"),
        (40, "ok", 0, "s behind the service"),
        (-50, "ok", 0, "s ahead of the service"),
        (120, "warning", 0, "s behind the service"),
        (-120, "warning", 0, "s ahead of the service"),
        (3600, "failure", 3, "s behind the service"),
        (-86400, "failure", 3, "s ahead of the service"),
        (None, "warning", 0, "did not say what time it is"),
    ],
)
def test_the_clock_is_compared_with_that_of_the_service(
    world: World, inside: Inside, off: float | None, level: str, code: int, said: str
) -> None:
    with telling_time(off) as address:
        world.configure(configuration(address))
        result = examine(inside, world)
    row = one(result, "clock")
    assert (row["level"], result.code) == (level, code), row
    assert said in row["said"]
    assert level == "ok" or row["remedy"]


def test_a_certificate_that_nobody_signed_is_a_failure(world: World, inside: Inside, tmp_path: Path) -> None:
    with telling_time(0, certificate(tmp_path)) as address:
        world.configure(configuration(address))
        result = examine(inside, world)
    row = one(result, "connection")
    assert (row["level"], result.code) == ("failure", 75)
    assert "does not prove who it is: self-signed certificate" in row["said"]
    assert "REQUESTS_CA_BUNDLE" in row["remedy"]
    assert told(result, "clock") == told(result, "service") == [], "one failure, and not three"


@pytest.mark.parametrize(
    ("days", "name", "level", "said"),
    [
        ((-10, -2), "IP:127.0.0.1", "failure", "certificate has expired"),
        ((2, 20), "IP:127.0.0.1", "failure", "certificate is not yet valid"),
        ((-1, 300), "DNS:other.example", "failure", "IP address mismatch"),
        ((-1, 5), "IP:127.0.0.1", "warning", "ends in 4 days"),
        ((-1, 300), "IP:127.0.0.1", "ok", "proves who it is; its certificate is by Print House and ends in 299 days"),
    ],
)
def test_a_certificate_is_judged_by_its_days_and_its_name(
    tmp_path: Path, days: tuple[int, int], name: str, level: str, said: str
) -> None:
    """Against an authority that is trusted, which only what lies below the command can be handed here."""
    made = certificate(tmp_path, days, name)
    with telling_time(0, made) as address:
        way = ConnectionSettings(address, "", str(made.file))
        try:
            reached: Any = probe_connection(way, 10.0)
        except ssl.SSLError as error:
            reached = error
    (row,) = check_connection(way, reached, datetime.now(UTC))
    assert (row.level, said in row.message) == (level, True), row
    assert bool(row.remedy) is (level != "ok")


def test_a_proxy_is_named_without_its_password_and_asked_with_it(world: World, inside: Inside) -> None:
    heard: list[str] = []
    with proxy(heard) as address:
        with_login = address.replace("//", "//shop:s3cret-word@")
        world.configure(configuration("https://service.invalid"))
        result = examine(inside, world, "--timeout", "5", HTTPS_PROXY=with_login, NO_PROXY=None)
    assert result.code == 75
    assert "s3cret-word" not in result.out + result.err
    assert "//***@127.0.0.1" in one(result, "proxy")["said"]
    assert one(result, "name")["said"] == "not looked up here; the proxy does it"
    assert "407" in one(result, "connection")["said"]
    assert heard[0] == "service.invalid:443 Basic c2hvcDpzM2NyZXQtd29yZA=="


def test_a_store_is_read_and_left_as_it_lies(world: World, inside: Inside) -> None:
    inside(world, *shipped(), "--queue-only")
    result = examine(inside, world)
    assert result.code == 0
    assert "can be read and written" in one(result, "store")["said"]
    assert "1 waiting" in one(result, "outbox")["said"]
    assert [file.name for file in world.store.parent.iterdir()] == ["cpctl.db"]


def test_a_store_that_somebody_uses_just_now_is_read_too(world: World, inside: Inside) -> None:
    inside(world, *shipped(), "--queue-only")
    busy = sqlite3.connect(world.store, isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    try:
        result = inside(world, "doctor", "--offline", "-o", "json")
    finally:
        busy.close()
    assert "1 waiting" in one(result, "outbox")["said"]


@pytest.mark.parametrize("damage", [b"this is no store at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_store_is_a_failure_and_is_not_touched(world: World, inside: Inside, damage: bytes) -> None:
    world.store.parent.mkdir(mode=0o700)
    world.store.write_bytes(damage)
    world.store.chmod(0o600)
    result = examine(inside, world)
    assert result.code == 7
    row = one(result, "store")
    assert "is damaged" in row["said"]
    assert "`cpctl outbox import`" in row["remedy"]


def test_a_store_with_a_damaged_page_is_a_failure(world: World, inside: Inside) -> None:
    for number in range(40):
        inside(world, "signal", "packed", f"1234567{number:05}", "--order", "123456780000", "--queue-only")
    content = bytearray(world.store.read_bytes())
    content[3 * 4096 + 100 : 4 * 4096] = b"\xaa" * (4096 - 100)
    world.store.write_bytes(bytes(content))
    result = examine(inside, world, "--offline")
    assert result.code == 7
    assert one(result, "store")["level"] == "failure"


def test_a_store_that_was_set_aside_is_told_with_the_way_to_read_it(world: World, inside: Inside) -> None:
    world.store.parent.mkdir(mode=0o700)
    aside = world.store.with_name("cpctl.db.corrupt-20260120T130000000000Z")
    aside.write_bytes(b"x")
    result = examine(inside, world)
    assert result.code == 7
    assert f"`cpctl outbox import {aside}`" in told(result, "store")[0]["remedy"]


def test_a_store_of_a_newer_cpctl_is_a_failure(world: World, inside: Inside) -> None:
    inside(world, *shipped(), "--queue-only")
    opened = sqlite3.connect(world.store)
    opened.execute("PRAGMA user_version=99")
    opened.commit()
    opened.close()
    result = examine(inside, world, "--offline")
    assert (result.code, one(result, "store")["remedy"]) == (7, "Update cpctl on this machine.")
    assert told(result, "outbox") == [], "what waits in it cannot be counted: nothing is said of it"


def test_a_store_that_can_never_be_made_is_a_failure(world: World, inside: Inside) -> None:
    (world.folder / "file").write_text("")
    result = examine(inside, world, "--offline", CPCTL_STORE=str(world.folder / "file" / "cpctl.db"))
    assert result.code == 7
    assert "cannot be" in one(result, "store")["said"]


def test_a_queue_that_stands_still_is_a_failure_that_names_the_release(
    world: World, sandbox: Sandbox, inside: Inside
) -> None:
    sandbox.add_fault(make_fault("status", status=401))
    inside(world, *shipped())
    sandbox.clear_faults()
    result = examine(inside, world)
    assert result.code == 75
    assert "the queue is paused" in one(result, "outbox")["said"]
    assert "`cpctl outbox release`" in one(result, "outbox")["remedy"]


def test_the_failure_to_mend_first_decides_the_exit_status(world: World, inside: Inside) -> None:
    world.store.parent.mkdir(mode=0o700)
    world.store.write_bytes(b"no store" * 100)
    world.configure(configuration(NOBODY))
    assert examine(inside, world).code == 7
    world.configure(configuration(NOBODY).replace(f"{{api_key: {API_KEYS['signal']}}}", "{api_key_file: nowhere}"))
    assert examine(inside, world).code == 3


def test_a_check_that_breaks_down_is_a_line_and_not_the_end(
    world: World, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(place: Path) -> Iterator[Any]:
        raise ZeroDivisionError("no disk at all")

    monkeypatch.setattr("cpctl.diagnostics.machine_checks.disk", broken)
    result = examine(inside, world, "--offline")
    assert result.code == 1
    assert "this check broke down: ZeroDivisionError: no disk at all" in one(result, "disk")["said"]
    assert "--bundle" in one(result, "disk")["remedy"]
    assert told(result, "locale")


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"LANG": "C.UTF-8"}, "ok", "LANG=C.UTF-8"),
        ({"LANG": None}, "ok", "none set"),
        ({"LC_ALL": "C"}, "ok", "LC_ALL=C; text is UTF-8 all the same"),
        ({"LC_ALL": "de_DE.ISO-8859-1"}, "warning", "is not UTF-8"),
    ],
)
def test_the_locale_is_looked_at(
    world: World, inside: Inside, changes: dict[str, str | None], level: str, said: str
) -> None:
    row = one(examine(inside, world, "--offline", **changes), "locale")
    assert (row["level"], said in row["said"]) == (level, True), row


def test_a_person_reads_a_list_that_fits_the_terminal(world: World) -> None:
    def seen(columns: int, **changes: str) -> Conversation:
        with Conversation(world, "doctor", "--offline", columns=columns, **changes) as talk:
            assert talk.end() == 0
        return talk

    plain = seen(72)
    assert all(len(line) <= 72 for line in plain.lines)
    first = [line.split()[1] for line in plain.lines if line.startswith("ok")]
    assert first[:2] == ["version", "configuration"]
    assert "\x1b[32mok" in plain.screen
    assert "\x1b[3" not in seen(72, NO_COLOR="1").screen
    assert "make the window wider" in " ".join(" ".join(seen(50).lines).split())


def test_every_format_can_be_had(world: World, inside: Inside) -> None:
    assert inside(world, "doctor", "--offline").out.startswith("check\tlevel\tsaid\tremedy\nversion\tok\t")
    bad = inside(world, "doctor", "-o", "value", "--query", "[?level!='ok'].check", **OWN)
    assert (bad.code, bad.out) == (0, "")


def test_the_environment_alone_is_enough(tmp_path: Path, inside: Inside, sandbox: Sandbox) -> None:
    made = World(tmp_path, environment_in(tmp_path))
    result = examine(inside, made, CPCTL_CORE_KEY=API_KEYS["core"], CPCTL_BASE_URL=sandbox.base_url)
    assert result.code == 0
    assert "of the environment alone" in one(result, "configuration")["said"]


def test_without_a_home_the_doctor_still_reports(tmp_path: Path, inside: Inside) -> None:
    environment = environment_in(tmp_path)
    bare = World(
        tmp_path, {name: value for name, value in environment.items() if name not in ("HOME", "CPCTL_DATA_DIR")}
    )
    result = inside(bare, "doctor", "-o", "json", HOME="")
    assert result.code == 3
    assert os.path.lexists(tmp_path)


def test_a_signal_that_was_refused_is_mended_from_the_list_and_not_by_sending(
    world: World, sandbox: Sandbox, inside: Inside
) -> None:
    sandbox.add_fault(make_fault("status", status=400))
    inside(world, *shipped())
    sandbox.clear_faults()
    row = one(examine(inside, world), "outbox")
    assert "1 refused or expired" in row["said"]
    assert row["remedy"] == "`cpctl outbox list` shows what became of each, and what to do."
