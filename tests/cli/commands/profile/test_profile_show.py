"""`cpctl profile` and `cpctl whoami`: what they show, and what they never show."""

import csv
import io
import json
from collections.abc import Callable

import pytest
import yaml

from cpctl.output.formats import FORMATS
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import CliEnvironment, CliResult, shipped_command

Invoke = Callable[..., CliResult]
PROFILE_COMMANDS = [("profile", "list"), ("profile", "show"), ("profile", "path"), ("profile", "check"), ("whoami",)]


@pytest.mark.parametrize("command", PROFILE_COMMANDS, ids=" ".join)
def test_every_format_has_the_same_data_and_never_a_key(
    cli: CliEnvironment, invoke: Invoke, command: tuple[str, ...]
) -> None:
    written = {}
    for name in FORMATS:
        query = ("--query", "[0] || profile") if name == "value" and command == ("whoami",) else ()
        query = ("--query", "[].keys(@)[]") if name == "value" and command != ("whoami",) else query
        result = invoke(cli, *command, "-o", name, *query)
        assert result.code == 0, (name, result)
        assert result.out.endswith("\n")
        assert not [key for key in API_KEYS.values() if key in result.out + result.err]
        written[name] = result.out
    data = json.loads(written["json"])
    assert yaml.safe_load(written["yaml"]) == data
    lines = [json.loads(line) for line in written["jsonl"].splitlines()]
    assert lines == (data if isinstance(data, list) else [data])
    tsv = [line.split("\t") for line in written["tsv"].splitlines()]
    assert [row[0] for row in csv.reader(io.StringIO(written["csv"]))] == [row[0] for row in tsv]
    assert {len(row) for row in tsv} == {len(tsv[0])}


def test_profile_list_marks_the_default(cli: CliEnvironment, invoke: Invoke) -> None:
    more = cli.config.read_text(encoding="utf-8") + "  second:\n    signal: {api_key: second-signal-key}\n"
    cli.configure(f"default_profile: second\n{more}")
    rows = invoke(cli, "profile", "list", "-o", "json").data
    assert [(row["name"], row["environment"], row["default"]) for row in rows] == [
        ("sandbox", "sandbox", False),
        ("second", "live", True),
    ]


def test_profile_list_without_profiles_is_empty_and_names_the_next_command(
    unconfigured_cli: CliEnvironment, invoke: Invoke
) -> None:
    result = invoke(unconfigured_cli, "profile", "list", "-o", "json")
    assert (result.code, result.data) == (0, [])
    assert "`cpctl profile init` creates one" in result.err


def test_profile_show_lists_every_setting_with_its_source(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    rows = {row["setting"]: row for row in invoke(cli, "profile", "show", "-o", "json").data}
    assert rows["profile"] == {"setting": "profile", "value": "sandbox", "source": "the only profile"}
    assert rows["signal key"] == {"setting": "signal key", "value": "…-key", "source": "signal.api_key, line 5"}
    assert rows["base_url"]["value"] == sandbox.base_url
    assert rows["shipping_option"] == {"setting": "shipping_option", "value": "GLS", "source": "line 7"}
    assert rows["signal_version"] == {"setting": "signal_version", "value": "2.0", "source": "default"}


def test_profile_path_shows_which_files_exist(cli: CliEnvironment, invoke: Invoke) -> None:
    def places() -> list[tuple[str, str, bool]]:
        rows = invoke(cli, "profile", "path", "-o", "json").data
        return [(row["name"], row["path"], row["exists"]) for row in rows]

    assert places() == [("configuration", str(cli.config), True), ("store", str(cli.store), False)]
    cli.config.unlink()
    assert places()[0] == ("configuration", str(cli.config), False), "also when the configuration is not there"


def test_profile_check_reports_every_invalid_profile(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "profile", "check").code == 0
    cli.configure(
        "profiles:\n"
        "  good: {core: {api_key: one-core-key}, signal: {api_key: one-signal-key}}\n"
        "  half: {signal: {api_key_file: nowhere}}\n"
        "  bad: {timeout: soon}\n"
    )
    result = invoke(cli, "profile", "check", "-o", "json")
    assert result.code == 3
    verdicts = {row["check"]: row["verdict"] for row in result.data}
    assert verdicts == {
        "good: core key": "ok",
        "good: signal key": "ok",
        "half: signal key": "failure",
        "half: core key": "warning",
        "bad": "failure",
    }
    remedies = " ".join(row["remedy"] for row in result.data)
    assert "nowhere cannot be read" in remedies
    assert "line 4" in remedies


def test_profile_commands_send_nothing_and_create_no_store(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    for command in PROFILE_COMMANDS:
        invoke(cli, *command)
    assert sandbox.state.journal.list_entries() == []
    assert not cli.store.exists()


def test_whoami_counts_waiting_signals_and_shows_a_paused_queue(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    def outbox() -> dict[str, object]:
        found: dict[str, object] = invoke(cli, "whoami", "-o", "json").data["outbox"]
        return found

    assert outbox() == {"waiting": 0, "refused": 0, "paused": False}
    sandbox.add_fault(make_fault("status", status=401))
    invoke(cli, *shipped_command())
    assert outbox() == {"waiting": 1, "refused": 0, "paused": True}
