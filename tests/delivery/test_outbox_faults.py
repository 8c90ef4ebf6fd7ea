"""Every fault of the network and of the service, met by a signal command and by a flush."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from shop import ITEM, ORDER, Body, Ended, Forks, packed, rows, select

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

if TYPE_CHECKING:
    from worlds import World

QUICK = ("--timeout", "0.5")
TELLS = [*packed(), "--at", "2026-01-20T13:00:00Z"]
TOLD = {"type": "ItemPacked", "order": ORDER, "item": ITEM, "datetime": "2026-01-20 13:00:00 GMT"}
DATE = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)


@dataclass(frozen=True)
class Case:
    """A fault, and what is to become of a signal that meets it."""

    fault: dict[str, Any]
    state: str
    code: int
    words: str
    status: int | None = None
    doubt: bool = False
    lands: bool = False


def answered(status: int, state: str, code: int, words: str, doubt: bool = False, **more: Any) -> Case:
    return Case({"kind": "status", "status": status, **more}, state, code, words, status, doubt)


NO_ANSWER = "no answer within 0.5 s"
BROKEN = "the connection broke before an answer came"
KEY, ADDRESS = "the service refused the key", "there is no CloudSignal at this address"
FAILED = "the service failed"
CASES = {
    "a late answer": Case({"kind": "latency", "seconds": 30}, "queued", 0, NO_ANSWER, None, True, True),
    "a slow header": Case({"kind": "slow-drip", "seconds": 0.5}, "queued", 0, NO_ANSWER, None, True, True),
    "a reset before the work": Case({"kind": "reset-before"}, "queued", 0, BROKEN, None, True),
    "a reset after the work": Case({"kind": "reset-after"}, "queued", 0, BROKEN, None, True, True),
    "no network": Case({"kind": "down"}, "queued", 0, "is not reached: Connection refused"),
    "a late answer in time": Case({"kind": "latency", "seconds": 0.1}, "delivered", 0, "", 200, False, True),
    "a slow body": Case({"kind": "slow-drip", "seconds": 0.001}, "delivered", 0, "", 200, False, True),
    "a truncated body": Case({"kind": "truncated"}, "delivered", 0, "", 200, False, True),
    "a body that is no JSON": Case({"kind": "invalid-json"}, "delivered", 0, "", 200, False, True),
    "302": answered(302, "held", 5, ADDRESS),
    "400": answered(400, "refused", 5, "the service refused it"),
    "401": answered(401, "held", 4, KEY),
    "403": answered(403, "held", 4, KEY),
    "404": answered(404, "held", 5, ADDRESS),
    "408": answered(408, "queued", 0, "the service gave up reading"),
    "410": answered(410, "held", 5, ADDRESS),
    "422": answered(422, "refused", 5, "the service refused it"),
    "429": answered(429, "queued", 0, "the service is asked too often"),
    "429, later": answered(429, "queued", 0, "the service is asked too often", retry_after="7200"),
    "500": answered(500, "queued", 0, FAILED, True),
    "502": answered(502, "queued", 0, FAILED, True),
    "503": answered(503, "queued", 0, "the service is unavailable"),
    "503, later": answered(503, "queued", 0, "the service is unavailable", retry_after=DATE),
}
LATER = [name for name in CASES if name.endswith("later")]
cases = pytest.mark.parametrize("name", CASES)


def code_of(case: Case) -> int:
    """The exit status where delivery is insisted on."""
    return 75 if case.state == "queued" else case.code


def judge(world: "World", case: Case, ended: Ended) -> None:
    """What the command said, and what the store holds."""
    (row,) = rows(world.store)
    assert (row["state"], row["http_status"], row["maybe_duplicate"]) == (case.state, case.status, case.doubt)
    (told,) = ended.data
    assert (told["state"], told["http_status"], told["maybe_duplicate"]) == (case.state, case.status, case.doubt)
    assert (told["attempts"], told["datetime"]) == (1, TOLD["datetime"])
    assert case.words in told["message"]


def mend(forks: Forks, world: "World", sandbox: Sandbox) -> None:
    """Clear the fault, and do what a person does then."""
    sandbox.clear_faults()
    (row,) = rows(world.store)
    if row["state"] == "held":
        forks.ok(world, "outbox", "release")
    elif row["state"] in ("queued", "refused"):
        forks.ok(world, "outbox", "retry", "--all")
    assert forks.ok(world, "outbox", "flush", "--require-delivery").err == ""
    assert rows(world.store)[0]["state"] == "delivered"


def copies(bodies: Sequence[Body], case: Case) -> None:
    """The service has it exactly as told: once, or twice where the first answer was lost."""
    assert bodies == [TOLD] * (2 if case.lands and case.state != "delivered" else 1)


@cases
def test_a_signal_command_tells_what_a_fault_made_of_it_and_a_flush_delivers_it(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any, name: str
) -> None:
    case = CASES[name]
    sandbox.add_fault(make_fault(**case.fault))
    ended = forks.run(world, *TELLS, *QUICK, "-o", "json")
    assert ended.code == case.code, ended
    assert case.words in ended.err
    assert bool(ended.err) == bool(case.words)
    judge(world, case, ended)
    mend(forks, world, sandbox)
    copies(received(), case)


@cases
def test_a_flush_meets_a_fault_as_a_signal_command_does(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any, name: str
) -> None:
    case = CASES[name]
    forks.ok(world, *TELLS, "--queue-only")
    sandbox.add_fault(make_fault(**case.fault))
    ended = forks.run(world, "outbox", "flush", *QUICK, "-o", "json", "--require-delivery")
    assert ended.code == code_of(case), ended
    loud = case.state not in ("queued", "delivered")
    assert bool(ended.err) == loud, "cron sends no mail for what mends itself"
    assert not loud or case.words in ended.err
    judge(world, case, ended)
    mend(forks, world, sandbox)
    copies(received(), case)


@pytest.mark.parametrize("name", ["a late answer", "no network", "401", "404", "400", "503"])
def test_require_delivery_changes_the_exit_status_of_what_waits_only(
    world: "World", sandbox: Sandbox, forks: Forks, name: str
) -> None:
    case = CASES[name]
    sandbox.add_fault(make_fault(**case.fault))
    assert forks.run(world, *TELLS, *QUICK, "--require-delivery").code == code_of(case)


def test_a_lost_answer_is_never_called_not_sent(world: "World", sandbox: Sandbox, forks: Forks) -> None:
    sandbox.add_fault(make_fault("reset-after"))
    ended = forks.ok(world, *TELLS, *QUICK)
    assert "not sent" not in ended.err + ended.out
    assert "safe in the outbox" in ended.err
    assert "`cpctl outbox flush` sends" in ended.err


@pytest.mark.parametrize("name", LATER)
def test_retry_after_is_honoured_by_every_flush_until_a_person_says_otherwise(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any, name: str
) -> None:
    sandbox.add_fault(make_fault(**CASES[name].fault, times=1))
    forks.ok(world, *TELLS)
    for _ in range(2):
        assert forks.run(world, "outbox", "flush", "--require-delivery").code == 75
    assert "the service asked to wait until" in forks.ok(world, "outbox", "flush", "-v").err
    assert len(sandbox.state.journal.list_entries()) == 1
    (row,) = rows(world.store)
    # A date is two hours after the start of the tests, which may run for a while.
    assert 3600 < (row["not_before"] - row["last_attempt_at"]) / 1000 < 7210
    forks.ok(world, "outbox", "retry", "--all")
    forks.ok(world, "outbox", "flush")
    assert received() == [TOLD]


@pytest.mark.parametrize("name", ["401", "403", "404", "410", "302"])
def test_a_paused_queue_sends_nothing_until_it_is_released(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any, name: str
) -> None:
    case = CASES[name]
    sandbox.add_fault(make_fault(**case.fault, times=1))
    forks.run(world, *TELLS)
    forks.ok(world, *packed("123456780002"), "--queue-only")
    ended = forks.run(world, "outbox", "flush")
    assert ended.code == case.code
    assert "is paused since" in ended.err
    assert "2 wait and are safe" in ended.err
    assert len(sandbox.state.journal.list_entries()) == 1
    forks.ok(world, "outbox", "release")
    forks.ok(world, "outbox", "flush")
    assert sorted(body["item"] for body in received()) == [ITEM, "123456780002"]


def test_any_signal_that_gets_through_ends_the_pause(
    world: "World", sandbox: Sandbox, forks: Forks, received: Any
) -> None:
    sandbox.add_fault(make_fault("status", status=401, times=1))
    assert forks.run(world, *TELLS).code == 4
    assert select(world.store, "SELECT paused_status FROM queues") == [{"paused_status": 401}]
    forks.ok(world, *packed("123456780002"))
    forks.ok(world, "outbox", "flush")
    assert [row["state"] for row in rows(world.store)] == ["delivered", "delivered"]
    assert [body["item"] for body in received()] == ["123456780002", ITEM]


def test_a_paused_queue_takes_new_signals_and_a_command_still_tries_its_own(
    world: "World", sandbox: Sandbox, forks: Forks
) -> None:
    sandbox.add_fault(make_fault("status", status=403))
    for item in (ITEM, "123456780002", "123456780003"):
        assert forks.run(world, *packed(item)).code == 4
    assert [row["state"] for row in rows(world.store)] == ["held"] * 3
    assert len(sandbox.state.journal.list_entries()) == 3


def test_a_bad_item_does_not_take_the_others_of_its_bundle_down(world: "World", forks: Forks, received: Any) -> None:
    ended = forks.run(world, *packed(ITEM, "000000009999", "123456780002"), "-o", "json")
    assert ended.code == 6
    assert [one["state"] for one in ended.data] == ["delivered", "refused", "delivered"]
    assert "item_unknown: item 000000009999 is unknown" in ended.data[1]["message"]
    assert [body["item"] for body in received()] == [ITEM, "123456780002"]
