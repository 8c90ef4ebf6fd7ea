"""Words that only this machine knows: profiles, references, items, ids; in the real shells, with the real cpctl."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from completion_shells import SHELLS, Offered, install, offered_by
from worlds import ITEM, NOBODY, ORDER, SECOND, World, configuration, shipped

from cpctl.cli.completion.candidates import COMPLETERS
from cpctl.cli.completion.nodes import FREE_TEXT, KIND_SEPARATOR, SHELL_COMPLETED_KINDS
from cpctl.cli.completion.parameter_values import VALUE_KINDS, load_static_words
from cpctl.outbox.completion_queries import OPEN_STATE_NAMES
from cpctl.outbox.models import OPEN_STATES

Installed = tuple[World, Offered]
# What a shell would run, expand, or take apart, were it not told that it is one word.
NASTY = [
    "$(touch ran)",
    "`touch ran`",
    "; touch ran",
    "& touch ran &",
    "a b  c",
    "it's",
    'say "so"',
    "back\\slash",
    "~",
    "*",
    "{a,b}",
    "a:b",
    "a=b",
    "x|y",
    "$HOME",
    "#1",
    "ünï",
    "%s",
    "(1)",
    "<in>",
]


def words_of(world: World, kind: str, *line: str, **changes: str | None) -> list[str]:
    """What cpctl answers a shell that asks for the words of a kind."""
    result = world.run("__complete", kind, *line, **changes)
    assert (result.code, result.err) == (0, "")
    return [row.split("\t")[0] for row in result.out.splitlines()]


@pytest.fixture(params=SHELLS)
def nasty(request: pytest.FixtureRequest, empty_world: World) -> Iterator[Installed]:
    """A shell whose configuration has profiles with names that no shell may take at their word."""
    placed = install(empty_world)
    placed.configure(f"profiles: {json.dumps({name: {} for name in [*NASTY, '-x', 'two' + chr(10) + 'lines']})}\n")
    with ExitStack() as stack:
        yield (
            placed,
            offered_by(
                request.param, World(placed.folder, placed.env(CPCTL_CONFIG=str(placed.config), HISTFILE="")), stack
            ),
        )


def test_names_are_words_to_a_shell_whatever_stands_in_them(nasty: Installed) -> None:
    world, offered = nasty
    found = offered("cpctl --profile ")
    assert sorted(found) == sorted(NASTY)
    assert not (world.folder / "ran").exists()


def test_a_name_is_completed_from_what_was_typed_of_it(nasty: Installed) -> None:
    _, offered = nasty
    assert offered("cpctl --profile a:") == ["a:b"]
    assert offered("cpctl -p it") == ["it's"]
    assert [each.removeprefix("--profile=") for each in offered("cpctl --profile=sa")] == ['say "so"']


def test_profiles_are_offered_from_the_file_that_the_line_names(installed: Installed) -> None:
    world, offered = installed
    other = world.folder / "other.yaml"
    other.write_text("profiles:\n  elsewhere: {}\n", encoding="utf-8")
    other.chmod(0o600)
    assert offered("cpctl -p ") == ["sandbox"]
    assert offered(f"cpctl --config {other} -p ") == ["elsewhere"]


def test_references_that_were_shown_are_offered(installed: Installed) -> None:
    world, offered = installed
    for command in ("orders list", "products list", "products mixes", "catalogs list", "shipping levels"):
        world.json(*command.split())
    world.json("titles", "list", "catalog_1")
    assert {"order-1", "order-2"} <= set(offered("cpctl orders info "))
    assert {"order-1", "order-2"} <= set(offered("cpctl orders cancel "))
    assert "textbook_pb_a4_p_bw" in offered("cpctl products info textb")
    assert "product_mix_test" in offered("cpctl products mix ")
    assert {"catalog_1", "catalog_2"} <= set(offered("cpctl titles list "))
    assert "1234567890123" in offered("cpctl titles remove ")
    assert "cp_saver" in offered("cpctl quote get --level ")
    assert "Textbook BW" in offered("cpctl products list --category Text")
    assert offered("cpctl quote get --item textbook_pb_a4_p_b") == ["textbook_pb_a4_p_bw,"]


def test_items_orders_and_ids_come_from_the_store(installed: Installed) -> None:
    world, offered = installed
    world.json("signal", "packed", ITEM, SECOND, "--order", ORDER, "--queue-only")
    assert set(offered("cpctl signal shipped ")) == {ITEM, SECOND}
    assert offered(f"cpctl signal shipped {ITEM} ") == [SECOND]
    assert offered(f"cpctl signal shipped {ITEM} --order ") == [ORDER]
    assert set(offered("cpctl outbox drop ")) == {"1", "2"}
    assert offered("cpctl outbox drop 2 ") == ["1"]


def test_an_item_that_was_shipped_is_offered_for_history_only(world: World) -> None:
    world.json("signal", "packed", SECOND, "--order", ORDER)
    world.json("sandbox", "orders")
    world.json(*shipped())
    assert ITEM not in words_of(world, "items")
    assert SECOND in words_of(world, "items")
    assert {ITEM, SECOND} <= set(words_of(world, "seen-items"))
    assert words_of(world, "outbox-ids") == []
    assert words_of(world, "signal-ids") == ["2", "1"]


def test_items_are_those_of_the_order_that_the_line_names(world: World) -> None:
    world.json("signal", "packed", ITEM, "--order", ORDER)
    world.json("signal", "packed", "123456790001", "--order", "123456790000")
    assert words_of(world, "items", "signal", "shipped", "--order", "123456790000") == ["123456790001"]
    assert words_of(world, "items", "signal", "shipped", f"--order={ORDER}") == [ITEM]
    assert words_of(world, "made-orders", "signal", "shipped", ITEM, "--order") == [ORDER]


def test_an_order_at_its_end_is_not_offered_to_be_canceled(world: World) -> None:
    world.json("orders", "list")
    assert set(words_of(world, "open-orders")) == {"order-1", "order-2"}
    for number in (1, 2, 3):
        world.json(*shipped(f"12345678000{number}"))
    ended = [row["reference"] for row in world.json("orders", "list") if row["state"] in (100, 501)]
    assert ended == ["order-1"]
    assert words_of(world, "open-orders") == ["order-2"]
    assert set(words_of(world, "orders")) == {"order-1", "order-2"}


def test_stations_and_operators_that_have_reported_are_offered(world: World) -> None:
    world.json(*shipped(), CPCTL_STATION="bench 2", CPCTL_OPERATOR="anna")
    assert words_of(world, "stations") == ["bench 2"]
    assert words_of(world, "operators") == ["anna"]


def test_maps_of_the_profile_are_offered_beside_those_that_cpctl_brings(installed: Installed) -> None:
    world, offered = installed
    world.configure(configuration(NOBODY, "    maps: {our-wms: {item: Position}}\n"))
    assert {"our-wms", "ups-worldship", "gls"} <= set(offered("cpctl signal send x.csv --map "))


def test_completing_touches_neither_network_nor_disk(world: World) -> None:
    world.json("signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    world.json("orders", "list")
    world.configure(configuration(NOBODY))
    before = {path: path.stat().st_mtime_ns for path in world.folder.rglob("*")}
    for kind in COMPLETERS:
        words_of(world, kind)
    assert {path: path.stat().st_mtime_ns for path in world.folder.rglob("*")} == before


def test_completing_sees_what_another_cpctl_has_just_accepted(world: World) -> None:
    """While a store is in use its newest rows stand in a log beside it."""
    world.json("signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN'); c.execute('SELECT count(*) FROM signals').fetchone()\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(world.store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        world.json("signal", "packed", SECOND, "--order", ORDER, "--queue-only")
        assert words_of(world, "items") == [SECOND, ITEM]
        reader.communicate("")


@pytest.mark.parametrize(
    "trouble",
    ["no config", "not yaml", "wrong profile", "no home", "damaged store", "no kind", "unknown kind", "closed output"],
)
def test_trouble_is_no_words_and_no_complaint(world: World, trouble: str) -> None:
    arguments, changes = ["__complete", "items"], {}
    if trouble == "no config":
        changes = {"CPCTL_CONFIG": str(world.folder / "none.yaml")}
    elif trouble == "not yaml":
        world.configure("profiles: [")
    elif trouble == "wrong profile":
        arguments += ["-p", "nobody"]
    elif trouble == "no home":
        changes = {"HOME": "nowhere", "CPCTL_CONFIG": "", "CPCTL_DATA_DIR": ""}
    elif trouble == "damaged store":
        world.store.parent.mkdir(parents=True, exist_ok=True)
        world.store.write_bytes(b"no store" * 1000)
    elif trouble == "no kind":
        arguments = ["__complete"]
    elif trouble == "unknown kind":
        arguments = ["__complete", "$(touch ran)"]
    if trouble == "closed output":
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m cpctl __complete profiles >&-'], env=world.env(), capture_output=True
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return
    result = world.run(*arguments, **changes)
    assert (result.code, result.out, result.err) == (0, "", "")


def test_no_key_command_is_run_and_no_key_file_is_read(world: World) -> None:
    mark = world.folder / "ran"
    command = json.dumps([sys.executable, "-c", f"open({str(mark)!r}, 'w')"])
    world.configure(
        f"profiles:\n  live:\n    core: {{api_key_command: {command}}}\n    signal: {{api_key_file: /none}}\n"
    )
    assert words_of(world, "profiles") == ["live"]
    assert words_of(world, "items") == []
    assert not mark.exists()


def test_every_kind_has_its_words_in_one_place() -> None:
    kinds = {kind for row in VALUE_KINDS.values() for kind in row.split(KIND_SEPARATOR)} - {
        FREE_TEXT,
        *SHELL_COMPLETED_KINDS,
    }
    known = load_static_words()
    assert not set(known) & set(COMPLETERS)
    assert kinds <= set(known) | set(COMPLETERS)
    assert set(COMPLETERS) <= kinds
    for words in known.values():
        assert words
        assert all(word.text.isprintable() and " " not in word.text for word in words)


def test_the_states_that_completion_calls_open_are_those_of_the_outbox() -> None:
    assert tuple(str(state) for state in OPEN_STATES) == OPEN_STATE_NAMES
