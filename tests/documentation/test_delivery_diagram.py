"""The drawing of how delivery works is of the program as it is."""

import re
from collections.abc import Callable

import pytest

from cpctl import retry
from cpctl.api.failures import HOLD, REFUSED, RETRY, SIGNAL_FAILURES
from cpctl.outbox.models import OPEN_STATES, STORED_STATES, State
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, CliEnvironment, CliResult, shipped_command
from harness.documented_commands import DocumentedCommand, usage_error
from harness.markdown_pages import ROOT, fenced_blocks

Invoke = Callable[..., CliResult]
DIAGRAM = next(block.text for block in fenced_blocks(ROOT / "docs" / "delivery.md") if block.language == "text")
# The answers, as the drawing groups them by what becomes of the signal.
DIAGRAM_LABELS = {
    REFUSED: "400, 422, other 4xx",
    HOLD: "401, 403; 404, 410, 3xx",
    RETRY: "no connection, no answer, 408, 429, 5xx",
}
DIAGRAM_ALIASES = {"timeout, or connection lost": "no answer", "503": "5xx", "other 5xx": "5xx"}


def test_every_state_of_a_signal_is_drawn() -> None:
    for state in STORED_STATES:
        assert re.search(rf"\b{state}\b", DIAGRAM), state
    assert max(len(line) for line in DIAGRAM.splitlines()) <= 100


@pytest.mark.parametrize("fault", SIGNAL_FAILURES, ids=lambda fault: fault.name)
def test_every_answer_leads_where_the_drawing_says(fault: object) -> None:
    drawn = DIAGRAM_LABELS[fault.disposition]  # type: ignore[attr-defined]
    assert drawn in DIAGRAM
    for answer in (
        [DIAGRAM_ALIASES[fault.condition]] if fault.condition in DIAGRAM_ALIASES else fault.condition.split(", ")
    ):  # type: ignore[attr-defined]
        assert answer in drawn


def test_the_waits_are_those_of_the_program() -> None:
    words = [
        "1 h" if wait == 3600 else f"{wait // 60} min" if wait >= 60 else f"{wait} s" for wait in retry.SIGNALS.delays
    ]
    assert f"after {', '.join(words[:-1])}, then every hour" in DIAGRAM
    assert words[-1] == "1 h"


@pytest.mark.parametrize("command", ["retry", "release", "hold", "drop", "flush"])
def test_every_command_of_the_drawing_is_there(command: str) -> None:
    assert f"outbox {command}" in DIAGRAM
    assert usage_error(DocumentedCommand(("outbox", command), False)) == ""


@pytest.mark.parametrize(("status", "state", "code"), [(200, "delivered", 0), (422, "refused", 5), (401, "held", 4)])
def test_each_answer_ends_in_its_state(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, status: int, state: str, code: int
) -> None:
    if status != 200:
        invoke(cli, "sandbox", "fault", "status", "--status", str(status), CPCTL_SANDBOX_CONTROL=sandbox.control_url)
    result = invoke(cli, *shipped_command(), "-o", "json")
    assert (result.code, result.data[0]["state"]) == (code, state)


@pytest.mark.parametrize(("command", "status"), [("retry", 400), ("release", 401)])
def test_what_was_stopped_goes_back_to_the_queue(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, command: str, status: int
) -> None:
    control = {"CPCTL_SANDBOX_CONTROL": sandbox.control_url}
    invoke(cli, "sandbox", "fault", "status", "--status", str(status), **control)
    invoke(cli, *shipped_command())
    assert invoke(cli, "outbox", command, "1", "-o", "json").data[0]["state"] == "queued"


def test_all_that_is_open_can_be_dropped(cli: CliEnvironment, invoke: Invoke) -> None:
    listed = ", ".join(state for state in OPEN_STATES)
    assert f"outbox drop   {listed} ──► dropped" in DIAGRAM
    invoke(cli, "signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    assert invoke(cli, "outbox", "hold", "1", "-o", "json").data[0]["state"] == State.HELD
    assert invoke(cli, "outbox", "drop", "1", "--yes", "-o", "json").data[0]["state"] == State.DROPPED
