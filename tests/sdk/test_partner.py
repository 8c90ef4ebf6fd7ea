"""`cpctl.sdk`, as Python scripts use it."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cpctl.errors import ConfigError, ExitCode, InvalidInput, NotFound, StoreError, TemporaryError
from cpctl.sandbox.faults import Fault
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.sdk import Partner, State, exit_code
from cpctl.signals import LATEST_API_VERSION, SIGNAL_TYPES, Signal, make_signal
from harness.cli_environment import ITEM, ORDER, SECOND_ITEM, UNREACHABLE_URL, CliEnvironment, sandbox_configuration

ReceivedSignals = Callable[[], list[dict[str, Any]]]
TRACKING = "1Z5R89390357567127"


def make_partner(cli: CliEnvironment, **changes: str | None) -> Partner:
    return Partner(environment=cli.process_environment(**changes))


@pytest.fixture
def partner(cli: CliEnvironment) -> Iterator[Partner]:
    with make_partner(cli) as made:
        yield made


def test_signals_of_one_order_are_delivered_as_one_bundle(partner: Partner, sandbox: Sandbox) -> None:
    results = partner.report([partner.signal("ItemPacked", ORDER, item) for item in (ITEM, SECOND_ITEM)])
    assert [(result.signal.item, result.state, result.http_status, result.is_safe) for result in results] == [
        (ITEM, State.DELIVERED, 200, True),
        (SECOND_ITEM, State.DELIVERED, 200, True),
    ]
    assert exit_code(results) == ExitCode.DONE
    assert len(sandbox.state.journal.list_entries()) == 1


def test_version_shipping_option_and_station_come_from_the_profile(
    cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    with make_partner(cli, CPCTL_STATION="bench-7", CPCTL_OPERATOR="ana") as partner:
        (result,) = partner.report([partner.signal("ItemShipped", ORDER, ITEM, tracking=TRACKING)])
    assert received_signals()[0]["shipping_option"] == "GLS"
    assert (result.report["station"], result.report["operator"], result.report["api_version"]) == (
        "bench-7",
        "ana",
        LATEST_API_VERSION,
    )


def test_the_command_line_knows_signals_reported_from_python(partner: Partner, cli: CliEnvironment) -> None:
    results = partner.report([partner.signal("ItemPacked", ORDER, ITEM)])
    (row,) = cli.run_json("signal", "history")
    assert row == results[0].report
    (again,) = cli.run_json("signal", "packed", ITEM, "--order", ORDER)
    assert again["state"] == "duplicate"


def test_a_signal_waits_through_an_outage_and_is_sent_by_the_next_flush(
    partner: Partner, sandbox: Sandbox, received_signals: ReceivedSignals
) -> None:
    sandbox.add_fault(Fault("down"))
    (result,) = partner.report([partner.signal("ItemPacked", ORDER, ITEM)])
    assert (result.state, result.is_safe, result.http_status) == (State.QUEUED, True, None)
    assert "cannot connect" in result.message
    assert (exit_code([result]), exit_code([result], require_delivery=True)) == (ExitCode.DONE, ExitCode.TEMPORARY)
    assert partner.count_waiting() == 1
    sandbox.clear_faults()
    assert [sent.state for sent in partner.flush()] == [State.DELIVERED]
    assert (partner.count_waiting(), partner.flush()) == (0, [])
    assert [body["item"] for body in received_signals()] == [ITEM]


def test_report_can_leave_sending_to_flush(partner: Partner, received_signals: ReceivedSignals) -> None:
    partner.report([partner.signal("ItemPacked", ORDER, ITEM)], send=False)
    assert received_signals() == []
    partner.flush()
    assert len(received_signals()) == 1


def test_a_repeated_signal_is_a_duplicate_and_a_contradiction_is_a_conflict(
    partner: Partner, received_signals: ReceivedSignals
) -> None:
    first = partner.signal("ItemShipped", ORDER, ITEM, tracking=TRACKING)
    other = partner.signal("ItemShipped", ORDER, ITEM, tracking="00340434161094015902")
    (done,), (again,), (against,) = (partner.report([each]) for each in (first, first, other))
    assert (again.state, again.id, again.is_safe) == (State.DUPLICATE, done.id, True)
    assert (against.state, against.id, against.is_safe) == (State.CONFLICT, done.id, False)
    assert "1Z5R89390357567127" in against.message
    assert against.signal.fields["tracking"] == "00340434161094015902"
    assert exit_code([again, against]) == ExitCode.CONFLICT
    assert len(received_signals()) == 1
    assert partner.report([other], force=True)[0].state is State.DELIVERED


def test_a_refused_key_holds_the_signal_and_pauses_the_queue(cli: CliEnvironment) -> None:
    with make_partner(cli, CPCTL_SIGNAL_KEY="a-wrong-key-of-somebody") as partner:
        assert partner.pause_reason() == ""
        (result,) = partner.report([partner.signal("ItemPacked", ORDER, ITEM)])
        assert (result.state, result.is_safe, result.http_status) == (State.HELD, True, 401)
        assert exit_code([result]) == ExitCode.KEY_REFUSED
        assert "refused the key" in partner.pause_reason()
        assert partner.flush() == []


def test_a_refused_signal_is_not_safe_and_has_the_message_of_the_service(partner: Partner) -> None:
    (result,) = partner.report([partner.signal("ItemPacked", ORDER, "999")])
    assert (result.state, result.is_safe, exit_code([result])) == (State.REFUSED, False, ExitCode.REFUSED)
    assert "item 999 is unknown" in result.message


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("ItemPackt", {}, 'Did you mean "ItemPacked"?'),
        ("ItemShipped", {}, "tracking is missing"),
        ("ItemCanceled", {"cause": "Nonsense"}, "is not a published cause"),
        ("ItemDelay", {"delay": 24}, 'delay 24 is not a string; write it as "24".'),
        ("ItemPacked", {"item": 123456780001}, 'write it as "123456780001"'),
        ("ItemPacked", {"apikey": "x"}, "apikey is set by cpctl itself"),
        ("ItemPacked", {"at": "2026-01-20"}, "at '2026-01-20' is not a datetime. Use datetime.fromisoformat"),
    ],
)
def test_an_invalid_signal_is_rejected_before_anything_is_stored(
    partner: Partner, cli: CliEnvironment, kind: str, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        partner.signal(kind, ORDER, **{"item": ITEM, **fields})
    assert message in f"{refused.value.message} {refused.value.hint}"
    assert refused.value.exit_code == ExitCode.USAGE
    assert not cli.store.exists()


def test_report_accepts_only_a_list_of_signals(partner: Partner, cli: CliEnvironment) -> None:
    signal: Any = partner.signal("ItemPacked", ORDER, ITEM)
    wrong: list[Any] = [signal, [signal, "ItemPacked"], "ItemPacked", [None]]
    for each in wrong:
        with pytest.raises(InvalidInput, match="is not a signal") as refused:
            partner.report(each)
        assert "takes a list" in refused.value.hint
    assert not cli.store.exists()


def test_an_unknown_service_is_rejected_with_the_valid_names(partner: Partner) -> None:
    with pytest.raises(InvalidInput) as refused:
        partner.client("publish")
    assert "core" in refused.value.hint


def test_report_checks_signals_that_were_constructed_directly(
    partner: Partner, received_signals: ReceivedSignals
) -> None:
    good = partner.signal("ItemPacked", ORDER, ITEM)
    bad = Signal(SIGNAL_TYPES["ItemPacked"], LATEST_API_VERSION, {"order": ORDER, "item": "two ids"}, datetime.now(UTC))
    with pytest.raises(InvalidInput, match="it must be one value"):
        partner.report([good, bad])
    assert (received_signals(), partner.history()) == ([], [])


def test_a_time_without_a_zone_is_local_time(partner: Partner) -> None:
    local = datetime(2026, 1, 20, 13, 0)
    signal = partner.signal("ItemPacked", ORDER, ITEM, at=local)
    assert signal.at == local.astimezone()
    by_hand = make_signal("ItemPacked", LATEST_API_VERSION, {"order": ORDER, "item": ITEM}, local, datetime.now())
    assert by_hand.at == signal.at


def test_without_a_key_nothing_is_accepted(cli: CliEnvironment) -> None:
    cli.configure(
        f"profiles:\n  sandbox:\n    base_url: {UNREACHABLE_URL}\n    core: {{api_key: {API_KEYS['core']}}}\n"
    )
    with make_partner(cli) as partner:
        with pytest.raises(ConfigError, match="has no key for signal"):
            partner.report([partner.signal("ItemPacked", ORDER, ITEM)])
        assert partner.history() == []


def test_a_failing_key_command_leaves_the_signal_accepted_with_a_warning(
    cli: CliEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    text = sandbox_configuration(UNREACHABLE_URL).replace(
        f"signal: {{api_key: {API_KEYS['signal']}}}", "signal: {api_key_command: [false]}"
    )
    cli.configure(text)
    with make_partner(cli) as partner, caplog.at_level(logging.WARNING, "cpctl"):
        (result,) = partner.report([partner.signal("ItemPacked", ORDER, ITEM)])
        assert (result.state, result.is_safe, partner.count_waiting()) == (State.QUEUED, True, 1)
    assert "Accepted and safe, but not sent: signal.api_key_command" in caplog.text


def test_nothing_is_accepted_or_sent_if_the_store_fails(cli: CliEnvironment, received_signals: ReceivedSignals) -> None:
    cli.store.parent.write_text("not a folder", encoding="utf-8")
    with make_partner(cli) as partner, pytest.raises(StoreError, match="NOT ACCEPTED, nothing sent") as failed:
        partner.report([partner.signal("ItemPacked", ORDER, ITEM)])
    assert failed.value.exit_code == ExitCode.STORE
    assert received_signals() == []


def test_history_can_be_filtered_by_order_and_item(partner: Partner) -> None:
    partner.report(
        [partner.signal(kind, ORDER, item) for kind in ("ItemPacked", "ItemProduced") for item in (ITEM, SECOND_ITEM)]
    )
    assert [result.signal.type.name for result in partner.history(item=ITEM)] == ["ItemPacked", "ItemProduced"]
    assert [result.signal.item for result in partner.history(order=ORDER, limit=1)] == [SECOND_ITEM]
    assert partner.history(order="another") == []


def test_a_call_returns_what_the_command_line_shows(partner: Partner, cli: CliEnvironment) -> None:
    assert partner.call("shipping/levels") == cli.run_json("shipping", "levels")
    assert partner.call("shipping/states", {"country_reference": "US"}) == cli.run_json("shipping", "states", "US")


def test_a_call_that_fails_raises_an_error_with_the_exit_status(partner: Partner, cli: CliEnvironment) -> None:
    with pytest.raises(NotFound, match='There is no order "nobody"') as missing:
        partner.call("orders/info", {"reference": "nobody"})
    assert missing.value.exit_code == ExitCode.NOT_FOUND
    with (
        make_partner(cli, CPCTL_BASE_URL=UNREACHABLE_URL) as elsewhere,
        pytest.raises(TemporaryError, match="cannot connect") as away,
    ):
        elsewhere.call("orders/cancel", {"reference": "1"})
    assert (away.value.exit_code, away.value.maybe_processed) == (ExitCode.TEMPORARY, False)


def test_an_unknown_call_and_a_signal_as_a_call_are_rejected_with_a_hint(partner: Partner) -> None:
    with pytest.raises(InvalidInput) as unknown:
        partner.call("order/info")
    assert unknown.value.hint == 'Did you mean "orders/info"?'
    with pytest.raises(InvalidInput) as signal:
        partner.call("signal-2.0", {"type": "ItemPacked"})
    assert signal.value.hint == "Use `report`."


def test_a_profile_is_chosen_by_name_and_a_file_by_its_path(cli: CliEnvironment, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.touch(mode=0o600)
    file.write_text(
        sandbox_configuration(UNREACHABLE_URL).replace("sandbox:", "mine:") + "  yours: {}\n", encoding="utf-8"
    )
    with Partner("yours", file, cli.process_environment()) as partner:
        assert partner.name == "yours"
    with pytest.raises(ConfigError, match="several profiles"):
        Partner(config=file, environment=cli.process_environment())


def test_importing_the_public_names_loads_neither_requests_nor_typer(cli: CliEnvironment) -> None:
    script = (
        "import sys, cpctl.api, cpctl.signals, cpctl.sdk\n"
        "from cpctl.sdk import Partner, State\n"
        "from cpctl.signals import SIGNAL_TYPES\nfrom cpctl.api import ENDPOINTS\n"
        "print(sorted({'requests', 'typer', 'rich', 'yaml', 'jmespath'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=cli.process_environment())
    assert (done.stdout, done.stderr) == ("[]\n", "")
