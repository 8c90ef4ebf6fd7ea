"""The drawing of how delivery works is of the program as it is."""

import re
from collections.abc import Callable

import pytest
from guide_commands import Shown, refusal
from guide_pages import ROOT, blocks
from worlds import ITEM, ORDER, Result, World, shipped

from cpctl.api.failures import HOLD, REFUSED, RETRY, SIGNAL_FAILURES
from cpctl.outbox.dispatcher import RETRY_DELAYS_SECONDS
from cpctl.outbox.models import OPEN_STATES, STORED_STATES, State
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
DRAWING = next(block.text for block in blocks(ROOT / "docs" / "delivery.md") if block.language == "text")
# The answers, as the drawing groups them by what becomes of the signal.
DRAWN = {
    REFUSED: "400, 422, other 4xx",
    HOLD: "401, 403; 404, 410, 3xx",
    RETRY: "no connection, no answer, 408, 429, 5xx",
}
WORDS = {"time is up, or the connection broke": "no answer", "503": "5xx", "other 5xx": "5xx"}


def test_every_state_of_a_signal_is_drawn() -> None:
    for state in STORED_STATES:
        assert re.search(rf"\b{state}\b", DRAWING), state
    assert max(len(line) for line in DRAWING.splitlines()) <= 100


@pytest.mark.parametrize("fault", SIGNAL_FAILURES, ids=lambda fault: fault.name)
def test_every_answer_leads_where_the_drawing_says(fault: object) -> None:
    drawn = DRAWN[fault.remedy]  # type: ignore[attr-defined]
    assert drawn in DRAWING
    for answer in [WORDS[fault.when]] if fault.when in WORDS else fault.when.split(", "):  # type: ignore[attr-defined]
        assert answer in drawn


def test_the_waits_are_those_of_the_program() -> None:
    words = [
        "1 h" if wait == 3600 else f"{wait // 60} min" if wait >= 60 else f"{wait} s" for wait in RETRY_DELAYS_SECONDS
    ]
    assert f"after {', '.join(words[:-1])}, then every hour" in DRAWING
    assert words[-1] == "1 h"


@pytest.mark.parametrize("command", ["retry", "release", "hold", "drop", "flush"])
def test_every_command_of_the_drawing_is_there(command: str) -> None:
    assert f"outbox {command}" in DRAWING
    assert refusal(Shown(("outbox", command), False)) == ""


@pytest.mark.parametrize(("status", "state", "code"), [(200, "delivered", 0), (422, "refused", 5), (401, "held", 4)])
def test_each_answer_ends_in_its_state(
    world: World, sandbox: Sandbox, inside: Inside, status: int, state: str, code: int
) -> None:
    if status != 200:
        inside(world, "sandbox", "fault", "status", "--status", str(status), CPCTL_SANDBOX_CONTROL=sandbox.control_url)
    result = inside(world, *shipped(), "-o", "json")
    assert (result.code, result.data[0]["state"]) == (code, state)


@pytest.mark.parametrize(("command", "status"), [("retry", 400), ("release", 401)])
def test_what_was_stopped_goes_back_to_the_queue(
    world: World, sandbox: Sandbox, inside: Inside, command: str, status: int
) -> None:
    control = {"CPCTL_SANDBOX_CONTROL": sandbox.control_url}
    inside(world, "sandbox", "fault", "status", "--status", str(status), **control)
    inside(world, *shipped())
    assert inside(world, "outbox", command, "1", "-o", "json").data[0]["state"] == "queued"


def test_all_that_is_open_can_be_dropped(world: World, inside: Inside) -> None:
    listed = ", ".join(state for state in OPEN_STATES)
    assert f"outbox drop   {listed} ──► dropped" in DRAWING
    inside(world, "signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    assert inside(world, "outbox", "hold", "1", "-o", "json").data[0]["state"] == State.HELD
    assert inside(world, "outbox", "drop", "1", "--yes", "-o", "json").data[0]["state"] == State.DROPPED
