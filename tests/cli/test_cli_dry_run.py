"""`--dry-run`: the call as it would be made, and nothing else happens."""

import json
from collections.abc import Callable

import pytest
from worlds import ITEM, NOBODY, ORDER, SECOND, Result, World, shipped

from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
AT = ("--at", "2026-01-20T13:00:00Z")
BODY = {
    "apikey": "***",
    "type": "ItemShipped",
    "order": ORDER,
    "item": ITEM,
    "tracking": "1A2B3C4D5E6F",
    "shipping_option": "GLS",
    "datetime": "2026-01-20 13:00:00 GMT",
}


def nothing_happened(world: World, sandbox: Sandbox) -> bool:
    return sandbox.state.journal.list_entries() == [] and not world.store.exists()


@pytest.mark.parametrize("option", ["-n", "--dry-run"])
def test_a_dry_run_shows_method_url_and_body_and_does_nothing(
    world: World, sandbox: Sandbox, inside: Inside, option: str
) -> None:
    result = inside(world, *shipped(), *AT, option)
    assert (result.code, result.err) == (0, "")
    first, _, rest = result.out.partition("\n")
    assert first == f"POST {sandbox.base_url}/cloudsignal/2.0/status/"
    assert list(json.loads(rest).items()) == list(BODY.items())
    assert nothing_happened(world, sandbox)


def test_a_dry_run_has_every_format(world: World, sandbox: Sandbox, inside: Inside) -> None:
    url = f"{sandbox.base_url}/cloudsignal/2.0/status/"
    result = inside(world, *shipped(), *AT, "-n", "-o", "json")
    assert result.data == [{"method": "POST", "url": url, "body": BODY}]
    assert inside(world, *shipped(), "-n", "-o", "value", "--query", "[].body.tracking").out == "1A2B3C4D5E6F\n"
    assert inside(world, *shipped(), "-n", "-o", "tsv").out.startswith(f"method\turl\tbody\nPOST\t{url}\t{{")
    assert nothing_happened(world, sandbox)


def test_several_items_travel_as_one_bundle_in_2_0_and_one_by_one_in_1_1(
    world: World, sandbox: Sandbox, inside: Inside
) -> None:
    words = ["signal", "packed", ITEM, SECOND, "--order", ORDER, *AT, "-n", "-o", "json"]
    (bundle,) = inside(world, *words).data
    member = {"type": "ItemPacked", "order": ORDER, "item": ITEM, "datetime": "2026-01-20 13:00:00 GMT"}
    assert bundle["body"] == {"apikey": "***", "items": [member, {**member, "item": SECOND}]}
    single = inside(world, *words, "--api-version", "1.1").data
    assert [call["body"] for call in single] == [{"apikey": "***", **member, "item": item} for item in (ITEM, SECOND)]
    assert {call["url"] for call in single} == {f"{sandbox.base_url}/1.1/status/"}
    assert nothing_happened(world, sandbox)


def test_a_dry_run_needs_no_key(empty_world: World, inside: Inside) -> None:
    result = inside(empty_world, *shipped(), "--shipping-option", "GLS", "-n", CPCTL_BASE_URL=NOBODY)
    assert result.code == 0
    assert '"apikey": "***"' in result.out


def test_a_dry_run_checks_as_the_real_one_does(world: World, sandbox: Sandbox, inside: Inside) -> None:
    for words in (["--delay", "soon"], ["--api-version", "3"], ["--at", "tomorrow"], ["-f", "colour"]):
        assert inside(world, "signal", "canceled", ITEM, "--order", ORDER, "-n", *words).code == 2, words
    assert nothing_happened(world, sandbox)


def test_a_field_that_cpctl_does_not_know_stands_in_the_body(world: World, inside: Inside) -> None:
    words = ["signal", "packed", ITEM, "--order", ORDER, "-n", "-o", "json", "-f", "weight=1=2", "-f", "colour="]
    (call,) = inside(world, *words).data
    assert (call["body"]["weight"], call["body"]["colour"]) == ("1=2", "")


@pytest.mark.parametrize("name", ["item", "order", "tracking", "shipping_option"])
def test_a_field_never_replaces_what_was_said_otherwise(world: World, inside: Inside, name: str) -> None:
    """-f item=… would report another item than the one that was named, and end with 0."""
    result = inside(world, *shipped(), "--shipping-option", "UPS", "-f", f"{name}=other", "-n")
    assert (result.code, result.out) == (2, "")
    assert f"{name} is said twice" in result.err


def test_the_outbox_shows_what_it_would_do_and_does_not(world: World, sandbox: Sandbox, inside: Inside) -> None:
    inside(world, *shipped(), "--queue-only")
    before = inside(world, "outbox", "list", "-o", "json").data
    calls = inside(world, "outbox", "flush", "-n", "-o", "json").data
    assert [call["body"]["item"] for call in calls] == [ITEM]
    for words in (["hold", "1"], ["retry", "1"], ["release", "1"], ["release"], ["drop", "1", "--yes"]):
        result = inside(world, "outbox", *words, "-n")
        assert result.code == 0, (words, result)
    assert inside(world, "outbox", "list", "-o", "json").data == before
    assert sandbox.state.journal.list_entries() == []
