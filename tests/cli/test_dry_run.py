"""`--dry-run` shows the calls and does nothing else."""

import json
from collections.abc import Callable

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import (
    ITEM,
    ORDER,
    SECOND_ITEM,
    UNREACHABLE_URL,
    CliEnvironment,
    CliResult,
    shipped_command,
)

Invoke = Callable[..., CliResult]
TIME_OPTION = ("--at", "2026-01-20T13:00:00Z")
BODY = {
    "apikey": "***",
    "type": "ItemShipped",
    "order": ORDER,
    "item": ITEM,
    "tracking": "1A2B3C4D5E6F",
    "shipping_option": "GLS",
    "datetime": "2026-01-20 13:00:00 GMT",
}


def has_no_effect(cli: CliEnvironment, sandbox: Sandbox) -> bool:
    return sandbox.state.journal.list_entries() == [] and not cli.store.exists()


@pytest.mark.parametrize("option", ["-n", "--dry-run"])
def test_a_dry_run_shows_method_url_and_body_and_does_nothing(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, option: str
) -> None:
    result = invoke(cli, *shipped_command(), *TIME_OPTION, option)
    assert (result.code, result.err) == (0, "")
    first, _, rest = result.out.partition("\n")
    assert first == f"POST {sandbox.base_url}/cloudsignal/2.0/status/"
    assert list(json.loads(rest).items()) == list(BODY.items())
    assert has_no_effect(cli, sandbox)


def test_a_dry_run_has_every_format(cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke) -> None:
    url = f"{sandbox.base_url}/cloudsignal/2.0/status/"
    result = invoke(cli, *shipped_command(), *TIME_OPTION, "-n", "-o", "json")
    assert result.data == [{"method": "POST", "url": url, "body": BODY}]
    assert invoke(cli, *shipped_command(), "-n", "-o", "value", "--query", "[].body.tracking").out == "1A2B3C4D5E6F\n"
    assert invoke(cli, *shipped_command(), "-n", "-o", "tsv").out.startswith(f"method\turl\tbody\nPOST\t{url}\t{{")
    assert has_no_effect(cli, sandbox)


def test_several_items_are_one_bundle_in_2_0_and_single_calls_in_1_1(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    arguments = ["signal", "packed", ITEM, SECOND_ITEM, "--order", ORDER, *TIME_OPTION, "-n", "-o", "json"]
    (bundle,) = invoke(cli, *arguments).data
    member = {"type": "ItemPacked", "order": ORDER, "item": ITEM, "datetime": "2026-01-20 13:00:00 GMT"}
    assert bundle["body"] == {"apikey": "***", "items": [member, {**member, "item": SECOND_ITEM}]}
    single = invoke(cli, *arguments, "--api-version", "1.1").data
    assert [call["body"] for call in single] == [
        {"apikey": "***", **member, "item": item} for item in (ITEM, SECOND_ITEM)
    ]
    assert {call["url"] for call in single} == {f"{sandbox.base_url}/1.1/status/"}
    assert has_no_effect(cli, sandbox)


def test_a_dry_run_needs_no_key(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(
        unconfigured_cli, *shipped_command(), "--shipping-option", "GLS", "-n", CPCTL_BASE_URL=UNREACHABLE_URL
    )
    assert result.code == 0
    assert '"apikey": "***"' in result.out


def test_a_dry_run_makes_the_same_checks(cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke) -> None:
    for arguments in (["--delay", "soon"], ["--api-version", "3"], ["--at", "tomorrow"], ["-f", "colour"]):
        assert invoke(cli, "signal", "canceled", ITEM, "--order", ORDER, "-n", *arguments).code == 2, arguments
    assert has_no_effect(cli, sandbox)


def test_an_unknown_field_is_in_the_body(cli: CliEnvironment, invoke: Invoke) -> None:
    arguments = ["signal", "packed", ITEM, "--order", ORDER, "-n", "-o", "json", "-f", "weight=1=2", "-f", "colour="]
    (call,) = invoke(cli, *arguments).data
    assert (call["body"]["weight"], call["body"]["colour"]) == ("1=2", "")


@pytest.mark.parametrize("name", ["item", "order", "tracking", "shipping_option"])
def test_a_field_cannot_replace_an_option(cli: CliEnvironment, invoke: Invoke, name: str) -> None:
    """Otherwise -f item=… would report another item than the argument, and exit with 0."""
    result = invoke(cli, *shipped_command(), "--shipping-option", "UPS", "-f", f"{name}=other", "-n")
    assert (result.code, result.out) == (2, "")
    assert f"{name} is given twice" in result.err


def test_a_dry_run_of_outbox_commands_changes_nothing(cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    before = invoke(cli, "outbox", "list", "-o", "json").data
    calls = invoke(cli, "outbox", "flush", "-n", "-o", "json").data
    assert [call["body"]["item"] for call in calls] == [ITEM]
    for arguments in (["hold", "1"], ["retry", "1"], ["release", "1"], ["release"], ["drop", "1", "--yes"]):
        result = invoke(cli, "outbox", *arguments, "-n")
        assert result.code == 0, (arguments, result)
    assert invoke(cli, "outbox", "list", "-o", "json").data == before
    assert sandbox.state.journal.list_entries() == []
