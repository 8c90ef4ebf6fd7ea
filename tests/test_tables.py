"""The tables of cpctl agree with each other."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from cpctl.api.endpoints import ENDPOINTS
from cpctl.api.failures import SIGNAL_FAILURES, classify_signal_status
from cpctl.cli.commands.signal import commands as signal_commands
from cpctl.cli.completion.parameter_values import VALUE_KINDS, find_value_kind, find_value_row
from cpctl.cli.context import Context
from cpctl.cli.framework import LazyGroup
from cpctl.cli.root import COMMANDS, GROUPS, build_root
from cpctl.config.keys import SERVICES
from cpctl.config.settings import SETTINGS, SHOP_SETTINGS
from cpctl.errors import EXIT_CODE_MEANINGS, ExitCode
from cpctl.outbox.models import STATE_MEANINGS, State
from cpctl.output.formats import FORMATS
from cpctl.sandbox.simulated_api.routes import ROUTES
from cpctl.sdk.results import exit_status
from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_FIELDS, SIGNAL_TYPES
from harness.cli_environment import CliEnvironment

ROOT = Path(__file__).parent.parent
GROUP_COMMANDS = [(name, command) for name in GROUPS for command in LazyGroup(name, "").declarations()]
ALL_COMMANDS = [*GROUP_COMMANDS, *((name, name) for name in COMMANDS)]


@pytest.mark.parametrize("kind", SIGNAL_TYPES.values(), ids=lambda kind: kind.name)
def test_every_signal_type_has_a_command_and_known_fields(kind: Any) -> None:
    assert kind.command in signal_commands.declarations
    assert set(kind.required) <= set(API_VERSIONS)
    for names in kind.required.values():
        assert {*names, *kind.optional} <= set(SIGNAL_FIELDS)


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda endpoint: endpoint.name)
def test_every_endpoint_has_a_route_in_the_sandbox(endpoint: Any) -> None:
    route = next(row for row in ROUTES.values() if row.path.strip("/") == endpoint.path.strip("/"))
    assert route.key_name == endpoint.key


def test_every_exit_status_and_every_state_has_a_meaning() -> None:
    assert set(EXIT_CODE_MEANINGS) == set(ExitCode)
    assert set(STATE_MEANINGS) == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_of_a_signal_has_an_exit_status(state: State) -> None:
    report = {"state": state, "http_status": 401, "held_by": "answer"}
    assert exit_status([report]) in ExitCode


@pytest.mark.parametrize("status", [200, 204, 299, 300, 301, 399, 400, 401, 404, 408, 418, 429, 499, 500, 503, 599])
def test_http_statuses_are_successes_below_300_and_known_failures_above(status: int) -> None:
    failure = classify_signal_status(status)
    assert (failure is None) == (status < 300)
    assert failure is None or failure in SIGNAL_FAILURES


@pytest.mark.parametrize(("group", "command"), GROUP_COMMANDS, ids=lambda value: str(value))
def test_every_command_has_a_help_sentence_and_a_valid_example(group: str, command: str) -> None:
    declared: Any = LazyGroup(group, "").get_command(None, command)
    assert declared.help.endswith("."), "the help of a command is a sentence"
    program, *arguments = shlex.split(declared.epilog)
    assert (program, arguments[:2]) == ("cpctl", [group, command])
    declared.make_context(command, arguments[2:], obj=Context({}))


@pytest.mark.parametrize(("group", "command"), ALL_COMMANDS, ids=lambda value: str(value))
def test_every_parameter_has_a_kind_of_completion(group: str, command: str) -> None:
    path = command if group == command else f"{group} {command}"
    for parameter in LazyGroup(group, "").get_command(None, command).params:
        if not getattr(parameter, "is_flag", False) and not getattr(parameter, "count", False):
            names = parameter.opts if parameter.param_type_name == "option" else ()
            kind = find_value_kind(path, names, parameter.metavar or "")
            assert kind, (
                f"cli/completion/parameter_values.py has no row for {path} {' '.join(names) or parameter.metavar}"
            )


def test_every_completion_row_belongs_to_a_parameter() -> None:
    rows = set(VALUE_KINDS)
    for name, command in ALL_COMMANDS:
        path = command if name == command else f"{name} {command}"
        for parameter in LazyGroup(name, "").get_command(None, command).params:
            names = parameter.opts if parameter.param_type_name == "option" else ()
            rows.discard(find_value_row(path, names, parameter.metavar or "") or "")
    assert not rows


def test_root_help_lists_every_group_and_command(unconfigured_cli: CliEnvironment) -> None:
    shown = unconfigured_cli.run("--help").out
    for name in (*GROUPS, *COMMANDS):
        assert f"\n  {name} " in shown
    assert build_root().summaries().keys() == {*GROUPS, *COMMANDS}


def test_the_help_of_output_lists_every_format(unconfigured_cli: CliEnvironment) -> None:
    shown = unconfigured_cli.run("whoami", "--help").out
    assert all(name in shown for name in FORMATS)


def test_the_example_configuration_is_valid_and_shows_every_setting(unconfigured_cli: CliEnvironment) -> None:
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    assert all(f"{name}:" in text for name in (*SETTINGS, *SERVICES, *SHOP_SETTINGS))
    unconfigured_cli.configure(text)
    listed = unconfigured_cli.run_json("profile", "list", CPCTL_CONFIG=str(unconfigured_cli.config))
    assert [(row["name"], row["environment"]) for row in listed] == [("production", "live"), ("sandbox", "sandbox")]
    used = unconfigured_cli.run_json("whoami", CPCTL_CONFIG=str(unconfigured_cli.config))
    assert used["profile"] == "sandbox"
