"""Bad input: the exit status, the message, and nothing sent or stored."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import (
    ITEM,
    ORDER,
    SECOND_ITEM,
    CliEnvironment,
    CliResult,
    sandbox_configuration,
    shipped_command,
)

Invoke = Callable[..., CliResult]
ReceivedSignals = Callable[[], list[dict[str, Any]]]
ITEM_ARGUMENTS = (ITEM, "--order", ORDER)
FUTURE = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"

BAD_INPUT: list[tuple[Sequence[str], str, str]] = [
    (("packed", "", "--order", ORDER), "item is empty", "Nothing was accepted"),
    (("packed", ITEM, "--order", ""), "order is empty", "Nothing was accepted"),
    (("packed", " \t", "--order", ORDER), "item is empty", "Nothing was accepted"),
    (("packed", "12 34", "--order", ORDER), 'item "12 34" contains a space', "Nothing was accepted"),
    (("packed", ITEM, "--order", "12 34"), 'order "12 34" contains a space', "Nothing was accepted"),
    (("packed", "1" * 10_000, "--order", ORDER), "has 10000 characters, more than 128", "Nothing was accepted"),
    (("packed", ITEM, "--order", "1" * 10_000), "has 10000 characters, more than 128", "Nothing was accepted"),
    (("packed", ITEM, ITEM, "--order", ORDER), f'The item "{ITEM}" is named twice', "Name each item once"),
    (("packed", ITEM, SECOND_ITEM, "x y", "--order", ORDER), 'item "x y" contains a space', "Nothing was accepted"),
    (
        ("delay", *ITEM_ARGUMENTS, "--delay", "soon"),
        'delay "soon" is not a number of whole hours',
        "Nothing was accepted",
    ),
    (("delay", *ITEM_ARGUMENTS, "--cause", "x" * 10_000), "cause", "Nothing was accepted"),
    (
        ("canceled", *ITEM_ARGUMENTS, "--cause", "CancelBokSize"),
        'Did you mean "CancelBookSize"?',
        "Nothing was accepted",
    ),
    (("canceled", *ITEM_ARGUMENTS, "--cause", "190"), "`cpctl signal causes` lists them", "Nothing was accepted"),
    (("shipped", *ITEM_ARGUMENTS), "'--tracking'", "`cpctl signal shipped --help` shows how"),
    (("shipped", *ITEM_ARGUMENTS, "--tracking", ""), "tracking is empty", "Nothing was accepted"),
    (
        ("shipped", *ITEM_ARGUMENTS, "--tracking", "1", "--shipping-option", ""),
        "shipping_option is empty",
        "Nothing was",
    ),
    (("packed", *ITEM_ARGUMENTS, "--at", FUTURE), "is in the future (it is ", "Nothing was accepted"),
    (("packed", *ITEM_ARGUMENTS, "--at", "yesterday"), '--at "yesterday" is not a time', "2026-01-20T13:00:00Z"),
    (("packed", *ITEM_ARGUMENTS, "--at", "2026-02-30T10:00"), '--at "2026-02-30T10:00" is not a time', "Write it as"),
    (("packed", *ITEM_ARGUMENTS, "--at", "1999-01-01"), "is too long ago", "Nothing was accepted"),
    (("packed", *ITEM_ARGUMENTS, "--at", "0001-01-01T00:00+14:00"), "--at", "Write it as"),
    (("order-registered", ORDER), "CloudSignal 2.0 has no OrderRegistered", "Use `cpctl signal registered`"),
    (
        ("registered", *ITEM_ARGUMENTS, "--api-version", "1.1"),
        "CloudSignal 1.1 has no ItemRegistered",
        "order-registered`",
    ),
    (
        ("delay", *ITEM_ARGUMENTS, "--api-version", "1.1"),
        "CloudSignal 1.1 has no ItemDelay",
        "Use `cpctl signal error`",
    ),
    (("packed", *ITEM_ARGUMENTS, "--api-version", "3"), '--api-version "3" does not exist', "Valid: 1.1, 2.0."),
    (("packed", *ITEM_ARGUMENTS, "-f", "colour"), '-f "colour" is not KEY=VALUE', "-f color=red"),
    (("packed", *ITEM_ARGUMENTS, "-f", "=red"), '-f "=red" is not KEY=VALUE', "-f color=red"),
    (("packed", *ITEM_ARGUMENTS, "-f", "apikey=1"), "apikey is set by cpctl itself", "Nothing was accepted"),
    (
        ("packed", *ITEM_ARGUMENTS, "-f", "tracking=1"),
        "version 2.0 has no tracking in ItemPacked",
        "Nothing was accepted",
    ),
    (("packed", *ITEM_ARGUMENTS, "-f", "note=a\x1b[31mb"), "contains a control character", "Nothing was accepted"),
]


@pytest.mark.parametrize(("arguments", "message", "hint"), BAD_INPUT, ids=lambda value: str(value)[:40])
def test_bad_input_exits_with_2_and_nothing_is_stored_or_sent(
    cli: CliEnvironment,
    invoke: Invoke,
    received_signals: ReceivedSignals,
    arguments: Sequence[str],
    message: str,
    hint: str,
) -> None:
    result = invoke(cli, "signal", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert hint in result.err
    assert "x" * 100 not in result.err
    assert "1" * 100 not in result.err
    assert not cli.store.exists()
    assert received_signals() == []


@pytest.mark.parametrize("arguments", [arguments for arguments, _, _ in BAD_INPUT[:3]], ids=str)
def test_queue_only_makes_the_same_checks(cli: CliEnvironment, invoke: Invoke, arguments: Sequence[str]) -> None:
    assert invoke(cli, "signal", *arguments, "--queue-only").code == 2
    assert not cli.store.exists()


def test_a_missing_shipping_option_has_two_remedies(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    cli.configure(sandbox_configuration(sandbox.base_url, extra_settings=""))
    result = invoke(cli, *shipped_command())
    assert (result.code, result.out) == (2, "")
    assert "ItemShipped needs a shipping option, and the profile has none." in result.err
    assert 'Add --shipping-option GLS, or set shipping_option in the profile "sandbox".' in result.err
    assert not cli.store.exists()
    assert invoke(cli, *shipped_command(), "--api-version", "1.1").code == 0, "1.1 has no shipping option"
    assert invoke(cli, *shipped_command(SECOND_ITEM), "--shipping-option", "UPS").code == 0
    assert [body.get("shipping_option") for body in received_signals()] == [None, "UPS"]


def test_the_shipping_option_of_the_command_overrides_the_profile(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    invoke(cli, *shipped_command())
    invoke(cli, *shipped_command(SECOND_ITEM), "--shipping-option", "DHL Paket")
    assert [body["shipping_option"] for body in received_signals()] == ["GLS", "DHL Paket"]


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (None, {"CPCTL_CONFIG": None}, "No profile: there is no profile in"),
        (None, {}, "There is no configuration"),
        ("profiles:\n\tsandbox:\n", {}, "line 2, column 1"),
        (sandbox_configuration("http://api.example.org"), {}, "must begin with https://"),
        (sandbox_configuration("http://localhost:9"), {"CPCTL_BASE_URL": "http://api.example.org"}, "CPCTL_BASE_URL"),
        (sandbox_configuration("http://localhost:9"), {"CPCTL_PROFILE": "sandbx"}, 'Did you mean "sandbox"?'),
        ("profiles:\n  sandbox:\n    core: {api_key: some-core-key}\n", {}, "has no key for signal"),
    ],
)
def test_an_invalid_configuration_exits_with_3_and_nothing_is_stored_or_sent(
    cli: CliEnvironment,
    invoke: Invoke,
    received_signals: ReceivedSignals,
    text: str | None,
    changes: dict[str, str | None],
    message: str,
) -> None:
    if text is None:
        cli.config.unlink()
    else:
        cli.configure(text)
    result = invoke(cli, *shipped_command(), "--shipping-option", "GLS", **changes)
    assert (result.code, result.out) == (3, "")
    assert message in result.err
    assert len(result.err.splitlines()) <= 2
    assert not cli.store.exists()
    assert received_signals() == []


def test_a_signal_reported_with_the_core_key_is_held(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    result = invoke(cli, *shipped_command(), "-o", "json", CPCTL_SIGNAL_KEY=API_KEYS["core"])
    assert result.code == 4
    (row,) = result.data
    assert (row["state"], row["http_status"], row["held_by"]) == ("held", 401, "answer")
    assert "1 signal held: the service refused the key (401)" in result.err
    assert "`cpctl whoami` shows which one is used" in result.err
    assert API_KEYS["core"] not in result.out + result.err
    assert received_signals() == []
    assert invoke(cli, "outbox", "flush").code == 4, "the queue stands still until somebody acts"
    assert invoke(cli, "outbox", "release").code == 0
    assert invoke(cli, "outbox", "flush").code == 0
    assert [body["item"] for body in received_signals()] == [ITEM]


def test_a_refusal_is_shown_with_the_message_of_the_service(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "signal", "packed", "999", "--order", ORDER, "-o", "json")
    assert result.code == 5
    assert result.data[0]["state"] == "refused"
    assert result.data[0]["message"] == "the service refused the request (400): item_unknown: item 999 is unknown"
    assert "Report it again with the right values, then `cpctl outbox drop 1`" in result.err


def test_one_bad_item_does_not_stop_the_others(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    result = invoke(cli, "signal", "packed", ITEM, "999", SECOND_ITEM, "--order", ORDER, "-o", "json")
    assert result.code == 6
    assert [row["state"] for row in result.data] == ["delivered", "refused", "delivered"]
    assert [body["item"] for body in received_signals()] == [ITEM, SECOND_ITEM]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("outbox", "show", "1"), 9, "There is no signal 1 in this store"),
        (("outbox", "show", "one"), 2, '"one" is not the id of a signal'),
        (("outbox", "drop", "-1"), 2, "-1"),
        (("outbox", "list", "--state", "quued"), 2, 'Did you mean "queued"?'),
        (("outbox", "retry"), 2, "Give ids, or --all"),
        (("outbox", "retry", "1", "--all"), 2, "Give either ids or --all, not both"),
        (("outbox", "import", "nowhere.jsonl"), 2, "nowhere.jsonl cannot be read: No such file or directory"),
        (("signal", "history", "--since", "lately"), 2, '--since "lately" is not a time'),
        (("outbox", "check", "--warn", "soon"), 3, "UNKNOWN"),
    ],
)
def test_bad_input_of_other_commands_is_named(
    cli: CliEnvironment, invoke: Invoke, arguments: Sequence[str], code: int, said: str
) -> None:
    result = invoke(cli, *arguments)
    assert result.code == code
    assert said in result.out + result.err
    assert "bug" not in result.err


def test_a_store_that_cannot_be_written_is_not_accepted(
    cli: CliEnvironment, invoke: Invoke, received_signals: ReceivedSignals
) -> None:
    folder = cli.folder / "is-a-folder"
    folder.mkdir()
    (cli.folder / "a-file").touch()
    for place in (folder, cli.folder / "a-file" / "cpctl.db"):
        result = invoke(cli, *shipped_command(), CPCTL_STORE=str(place))
        assert (result.code, result.out) == (7, "")
        assert "NOT ACCEPTED, nothing sent" in result.err
    assert received_signals() == []
