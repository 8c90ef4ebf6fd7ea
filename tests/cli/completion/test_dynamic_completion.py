"""Candidates that depend on the machine: profiles, references, items, ids; in real shells, with the real cpctl."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cpctl.cli.completion.candidates import COMPLETERS
from cpctl.cli.completion.hint_cache import PROFILES_FILE
from cpctl.cli.completion.parameter_values import (
    FREE_TEXT,
    KIND_SEPARATOR,
    SHELL_COMPLETED_KINDS,
    VALUE_KINDS,
    load_static_words,
)
from cpctl.outbox.completion_queries import OPEN_STATE_NAMES
from cpctl.outbox.models import OPEN_STATES
from harness.cli_environment import (
    ITEM,
    ORDER,
    SECOND_ITEM,
    UNREACHABLE_URL,
    CliEnvironment,
    sandbox_configuration,
    shipped_command,
)
from harness.shells import SHELLS, Completer, install_cpctl, shell_completer

LiveShell = tuple[CliEnvironment, Completer]
# Names that a shell would run, expand or split if they were not quoted.
HOSTILE_NAMES = [
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


def completion_values(cli: CliEnvironment, kind: str, *line: str, **changes: str | None) -> list[str]:
    """The candidates of a kind that cpctl prints for a shell."""
    result = cli.run("__complete", kind, *line, **changes)
    assert (result.code, result.err) == (0, "")
    return [row.split("\t")[0] for row in result.out.splitlines()]


@pytest.fixture(params=SHELLS)
def hostile_profiles_shell(request: pytest.FixtureRequest, unconfigured_cli: CliEnvironment) -> Iterator[LiveShell]:
    """A shell whose configuration has profiles with hostile names."""
    placed = install_cpctl(unconfigured_cli)
    placed.configure(
        f"profiles: {json.dumps({name: {} for name in [*HOSTILE_NAMES, '-x', 'two' + chr(10) + 'lines']})}\n"
    )
    with ExitStack() as stack:
        yield (
            placed,
            shell_completer(
                request.param,
                CliEnvironment(placed.folder, placed.process_environment(CPCTL_CONFIG=str(placed.config), HISTFILE="")),
                stack,
            ),
        )


def test_names_with_special_characters_are_single_words_to_a_shell(hostile_profiles_shell: LiveShell) -> None:
    cli, offered = hostile_profiles_shell
    found = offered("cpctl --profile ")
    assert sorted(found) == sorted(HOSTILE_NAMES)
    assert not (cli.folder / "ran").exists()


def test_a_name_is_completed_from_its_beginning(hostile_profiles_shell: LiveShell) -> None:
    _, offered = hostile_profiles_shell
    assert offered("cpctl --profile a:") == ["a:b"]
    assert offered("cpctl -p it") == ["it's"]
    assert [each.removeprefix("--profile=") for each in offered("cpctl --profile=sa")] == ['say "so"']


def test_profiles_come_from_the_configuration_on_the_line(live_shell: LiveShell) -> None:
    cli, offered = live_shell
    other = cli.folder / "other.yaml"
    other.write_text("profiles:\n  elsewhere: {}\n", encoding="utf-8")
    other.chmod(0o600)
    assert offered("cpctl -p ") == ["sandbox"]
    assert offered(f"cpctl --config {other} -p ") == ["elsewhere"]


def test_references_from_earlier_lists_are_offered(live_shell: LiveShell) -> None:
    cli, offered = live_shell
    for command in ("orders list", "products list", "products mixes", "catalogs list", "shipping levels"):
        cli.run_json(*command.split())
    cli.run_json("titles", "list", "catalog_1")
    assert {"order-1", "order-2"} <= set(offered("cpctl orders info "))
    assert {"order-1", "order-2"} <= set(offered("cpctl orders cancel "))
    assert "textbook_pb_a4_p_bw" in offered("cpctl products info textb")
    assert "product_mix_test" in offered("cpctl products mix ")
    assert {"catalog_1", "catalog_2"} <= set(offered("cpctl titles list "))
    assert "1234567890123" in offered("cpctl titles remove ")
    assert "cp_saver" in offered("cpctl quote get --level ")
    assert "Textbook BW" in offered("cpctl products list --category Text")
    assert offered("cpctl quote get --item textbook_pb_a4_p_b") == ["textbook_pb_a4_p_bw,"]


def test_items_orders_and_ids_come_from_the_store(live_shell: LiveShell) -> None:
    cli, offered = live_shell
    cli.run_json("signal", "packed", ITEM, SECOND_ITEM, "--order", ORDER, "--queue-only")
    assert set(offered("cpctl signal shipped ")) == {ITEM, SECOND_ITEM}
    assert offered(f"cpctl signal shipped {ITEM} ") == [SECOND_ITEM]
    assert offered(f"cpctl signal shipped {ITEM} --order ") == [ORDER]
    assert set(offered("cpctl outbox drop ")) == {"1", "2"}
    assert offered("cpctl outbox drop 2 ") == ["1"]


def test_a_shipped_item_is_offered_for_history_only(cli: CliEnvironment) -> None:
    cli.run_json("signal", "packed", SECOND_ITEM, "--order", ORDER)
    cli.run_json("sandbox", "orders")
    cli.run_json(*shipped_command())
    assert ITEM not in completion_values(cli, "items")
    assert SECOND_ITEM in completion_values(cli, "items")
    assert {ITEM, SECOND_ITEM} <= set(completion_values(cli, "reported-items"))
    assert completion_values(cli, "outbox-ids") == []
    assert completion_values(cli, "signal-ids") == ["2", "1"]


def test_only_items_of_the_order_on_the_line_are_offered(cli: CliEnvironment) -> None:
    cli.run_json("signal", "packed", ITEM, "--order", ORDER)
    cli.run_json("signal", "packed", "123456790001", "--order", "123456790000")
    assert completion_values(cli, "items", "signal", "shipped", "--order", "123456790000") == ["123456790001"]
    assert completion_values(cli, "items", "signal", "shipped", f"--order={ORDER}") == [ITEM]
    assert completion_values(cli, "unfinished-orders", "signal", "shipped", ITEM, "--order") == [ORDER]


def test_an_ended_order_is_not_offered_for_canceling(cli: CliEnvironment) -> None:
    cli.run_json("orders", "list")
    assert set(completion_values(cli, "open-orders")) == {"order-1", "order-2"}
    for number in (1, 2, 3):
        cli.run_json(*shipped_command(f"12345678000{number}"))
    ended = [row["reference"] for row in cli.run_json("orders", "list") if row["state"] in (100, 501)]
    assert ended == ["order-1"]
    assert completion_values(cli, "open-orders") == ["order-2"]
    assert set(completion_values(cli, "orders")) == {"order-1", "order-2"}


def test_stations_and_operators_of_earlier_signals_are_offered(cli: CliEnvironment) -> None:
    cli.run_json(*shipped_command(), CPCTL_STATION="bench 2", CPCTL_OPERATOR="anna")
    assert completion_values(cli, "stations") == ["bench 2"]
    assert completion_values(cli, "operators") == ["anna"]


def test_mappings_of_the_profile_are_offered_with_the_built_in_ones(live_shell: LiveShell) -> None:
    cli, offered = live_shell
    cli.configure(sandbox_configuration(UNREACHABLE_URL, "    maps: {our-wms: {item: Position}}\n"))
    assert {"our-wms", "ups-worldship", "gls"} <= set(offered("cpctl signal send x.csv --map "))


def test_completion_uses_no_network_and_writes_only_its_cache(cli: CliEnvironment) -> None:
    cli.run_json("signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    cli.run_json("orders", "list")
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    completion_values(cli, "profiles")
    before = {path: path.stat().st_mtime_ns for path in cli.folder.rglob("*")}
    assert [path.parent.name for path in before if path.name == PROFILES_FILE] == ["cpctl"]
    for kind in COMPLETERS:
        completion_values(cli, kind)
    assert {path: path.stat().st_mtime_ns for path in cli.folder.rglob("*")} == before


def test_completion_offers_what_another_cpctl_has_just_accepted(cli: CliEnvironment) -> None:
    """While a store is in use, its newest rows are in a log file beside it."""
    cli.run_json("signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN'); c.execute('SELECT count(*) FROM signals').fetchone()\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(cli.store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        cli.run_json("signal", "packed", SECOND_ITEM, "--order", ORDER, "--queue-only")
        assert completion_values(cli, "items") == [SECOND_ITEM, ITEM]
        reader.communicate("")


@pytest.mark.parametrize(
    "trouble",
    ["no config", "not yaml", "wrong profile", "no home", "damaged store", "no kind", "unknown kind", "closed output"],
)
def test_completion_offers_nothing_and_prints_no_error_on_a_failure(cli: CliEnvironment, trouble: str) -> None:
    arguments, changes = ["__complete", "items"], {}
    if trouble == "no config":
        changes = {"CPCTL_CONFIG": str(cli.folder / "none.yaml")}
    elif trouble == "not yaml":
        cli.configure("profiles: [")
    elif trouble == "wrong profile":
        arguments += ["-p", "nobody"]
    elif trouble == "no home":
        changes = {"HOME": "nowhere", "CPCTL_CONFIG": "", "CPCTL_DATA_DIR": ""}
    elif trouble == "damaged store":
        cli.store.parent.mkdir(parents=True, exist_ok=True)
        cli.store.write_bytes(b"no store" * 1000)
    elif trouble == "no kind":
        arguments = ["__complete"]
    elif trouble == "unknown kind":
        arguments = ["__complete", "$(touch ran)"]
    if trouble == "closed output":
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m cpctl __complete profiles >&-'],
            env=cli.process_environment(),
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return
    result = cli.run(*arguments, **changes)
    assert (result.code, result.out, result.err) == (0, "", "")


def test_no_key_command_is_run_and_no_key_file_is_read(cli: CliEnvironment) -> None:
    mark = cli.folder / "ran"
    command = json.dumps([sys.executable, "-c", f"open({str(mark)!r}, 'w')"])
    cli.configure(
        f"profiles:\n  live:\n    core: {{api_key_command: {command}}}\n    signal: {{api_key_file: /none}}\n"
    )
    assert completion_values(cli, "profiles") == ["live"]
    assert completion_values(cli, "items") == []
    assert not mark.exists()


def test_every_kind_has_exactly_one_source_of_words() -> None:
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


def test_completion_and_the_outbox_agree_on_open_states() -> None:
    assert tuple(str(state) for state in OPEN_STATES) == OPEN_STATE_NAMES
