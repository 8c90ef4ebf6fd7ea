"""What first users ran into."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from worlds import ITEM, ORDER, SECOND, Result, World, configuration, shipped

from cpctl.order_documents.skeletons import core_skeleton
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
WAITS = (*shipped(), "--queue-only")


@pytest.fixture
def two_profiles(world: World, sandbox: Sandbox, inside: Inside) -> World:
    """A world whose default is the profile "spare", while a signal waits in the profile "sandbox"."""
    text = configuration(sandbox.base_url)
    spare = text.split("profiles:\n")[1].replace("  sandbox:", "  spare:")
    world.configure(f"default_profile: spare\n{text}{spare}")
    assert inside(world, *WAITS, "-p", "sandbox").code == 0
    return world


def test_a_dry_run_of_export_writes_no_file_and_holds_nothing(world: World, inside: Inside) -> None:
    inside(world, *WAITS)
    result = inside(world, "outbox", "export", "out.jsonl", "--hold", "--dry-run")
    assert (result.code, result.err) == (0, "Dry run: nothing was written or held; 1 would be exported.\n")
    assert not Path("out.jsonl").exists() and not (world.folder / "out.jsonl").exists()
    assert world.json("outbox", "list")[0]["state"] == "queued"


def test_a_dry_run_leaves_the_sandbox_as_it_is(world: World, sandbox: Sandbox, inside: Inside) -> None:
    for words in (("fault", "down"), ("reset",), ("advance", "1h"), ("trigger", "ItemShipped")):
        assert "the sandbox is left as it is" in inside(world, "sandbox", *words, "-n").err
    assert inside(world, "sandbox", "fault", "-o", "json").data == []
    assert sandbox.state.webhooks.list_deliveries() == []


@pytest.mark.parametrize("command", [("show",), ("hold",), ("drop", "--yes"), ("retry",), ("release",)])
def test_a_signal_of_another_profile_is_not_touched_by_its_id(
    two_profiles: World, inside: Inside, command: tuple[str, ...]
) -> None:
    result = inside(two_profiles, "outbox", command[0], "1", *command[1:])
    assert result.code == 9
    assert 'belongs to the profile "sandbox", not to "spare"' in result.err
    assert "Add --profile sandbox." in result.err


def test_monitoring_looks_at_every_profile_unless_one_is_named(two_profiles: World, inside: Inside) -> None:
    words = ("outbox", "check", "--warn", "0s", "--crit", "1d")
    assert (inside(two_profiles, *words).code, "1 waiting" in inside(two_profiles, *words).out) == (1, True)
    assert inside(two_profiles, *words, "-p", "spare").code == 0
    assert inside(two_profiles, *words, CPCTL_PROFILE="sandbox").code == 1


def test_monitoring_is_critical_where_no_signal_can_be_accepted(world: World, inside: Inside) -> None:
    (world.folder / "data").write_text("a file where the folder should be")
    result = inside(world, "outbox", "check")
    assert (result.code, result.out.startswith("CPCTL CRITICAL - no signal can be accepted")) == (2, True)


@pytest.mark.parametrize("swallowed", ["--require-delivery", "--force", "--"])
def test_an_option_is_never_taken_for_a_tracking_code(world: World, inside: Inside, swallowed: str) -> None:
    result = inside(world, "signal", "shipped", ITEM, "--order", ORDER, "--tracking", swallowed)
    assert result.code == 2
    assert world.json("signal", "history") == []


def test_ids_joined_by_a_comma_are_refused(world: World, inside: Inside) -> None:
    result = inside(world, "signal", "packed", f"{ITEM},{SECOND}", "--order", ORDER)
    assert (result.code, "each id stands alone" in result.err) == (2, True)


def test_an_order_that_is_interrupted_on_its_way_is_told_as_unknown(world: World, sandbox: Sandbox) -> None:
    (world.folder / "o.yaml").write_text(core_skeleton(), encoding="utf-8")
    sandbox.add_fault(make_fault("latency", seconds=30))
    adding = world.start("orders", "add", "o.yaml")
    while not any(entry["path"].endswith("orders/add") for entry in sandbox.state.journal.list_entries()):  # type: ignore[attr-defined]
        assert adding.poll() is None
    os.kill(adding.pid, signal.SIGINT)
    _, said = adding.communicate(timeout=20)
    assert adding.returncode == 130
    assert 'Whether the order "order-0001" was created is unknown' in said


def test_a_signal_held_by_hand_is_released_as_it_was_told(world: World, inside: Inside) -> None:
    inside(world, *WAITS)
    assert "`cpctl outbox release 1` lets them go" in inside(world, "outbox", "hold", "1").err
    assert "was not paused" in inside(world, "outbox", "release").err
    assert inside(world, "outbox", "release", "1", "-o", "json").data[0]["state"] == "queued"


@pytest.mark.parametrize("file", ["", ".", "/"])
def test_what_is_no_name_of_a_file_is_told_so(world: World, inside: Inside, file: str) -> None:
    result = inside(world, "outbox", "export", file)
    assert (result.code, "is not the name of a file" in result.err) == (2, True)
