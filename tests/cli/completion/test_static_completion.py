"""What bash, zsh and fish offer with their scripts alone, without calling cpctl."""

from collections.abc import Callable

import pytest

from cpctl.cli.root import COMMANDS, GROUPS
from cpctl.output.formats import FORMATS
from cpctl.reference_data.countries import COUNTRIES
from cpctl.signals.causes import CANCEL_CAUSES
from harness.cli_environment import CliEnvironment

StaticShell = tuple[CliEnvironment, Callable[[str], list[str]]]

STATES = ["new", "verify", "verified", "verify_error", "complete", "canceled"]
CASES: list[tuple[str, set[str], set[str]]] = [
    # line, what is offered among others, what is not
    ("cpctl ", {*GROUPS, *COMMANDS}, {"--profile", "list"}),
    ("cpctl signal ship", {"shipped"}, {"signal", "sheet"}),
    ("cpctl --profile production sig", {"signal"}, set()),
    ("cpctl -p production -q sig", {"signal"}, set()),
    ("cpctl -", {"--profile", "-p", "--version", "--help"}, {"signal"}),
    ("cpctl signal -", {"--profile", "--help"}, {"--version"}),
    ("cpctl signal shipped --", {"--tracking", "--order", "--profile", "--dry-run"}, {"--cause"}),
    ("cpctl signal shipped 1 --tracking x --", {"--order"}, {"--tracking"}),
    ("cpctl orders list -n --", {"--state"}, {"--dry-run"}),
    ("cpctl orders list --state new --", {"--state"}, set()),
    ("cpctl -v -v --verb", {"--verbose"}, set()),
    ("cpctl -o ", {*FORMATS}, set()),
    ("cpctl orders list -o ", {*FORMATS}, set()),
    ("cpctl orders list -oj", {"-ojson", "-ojsonl"}, set()),
    ("cpctl --color ", {"auto", "always", "never"}, set()),
    ("cpctl orders list --state ", {*STATES}, {"done", "queued"}),
    ("cpctl orders wait 1 --for d", {"done", "download"}, set()),
    ("cpctl orders list --api ", {"core", "publish"}, {"signal"}),
    ("cpctl outbox list --state ", {"queued", "held", "delivered"}, {"duplicate", "new"}),
    ("cpctl signal canceled --cause ", {*CANCEL_CAUSES}, set()),
    ("cpctl signal packed --api-version ", {"1.1", "2.0"}, set()),
    ("cpctl signal send x.csv --type ", {"ItemShipped", "OrderRegistered"}, set()),
    ("cpctl signal scan --type ", {"shipped", "packed"}, {"ItemShipped"}),
    ("cpctl signal report --date ", {"today", "yesterday"}, set()),
    ("cpctl signal send x.csv --set tr", {"tracking="}, set()),
    ("cpctl shipping states ", {*COUNTRIES}, set()),
    ("cpctl quote get --country ", {*COUNTRIES}, set()),
    ("cpctl quote get --currency EU", {"EUR"}, {"USD"}),
    ("cpctl quote get --country US --state ", {"CA", "NY"}, {"ON"}),
    ("cpctl quote get --state o --country=ca --state ", {"ON"}, {"NY"}),
    ("cpctl sandbox fault ", {"latency", "status", "clear"}, set()),
    ("cpctl sandbox fault status --status 5", {"503"}, {"404"}),
    ("cpctl sandbox serve --dialect ", {"live", "documented"}, set()),
    ("cpctl sandbox trigger ", {"ItemShipped", "CloudprinterOrderValidated"}, set()),
    ("cpctl completion ", {"bash", "zsh", "fish"}, set()),
    ("cpctl api --service ", {"core", "publish", "signal"}, set()),
    ("cpctl api orders/", {"orders/info", "orders/add"}, set()),
    ("cpctl orders wait 1 --timeout 2h --ti", set(), {"--timeout"}),
    ("cpctl whoami ", {"--profile"}, set()),
    ("cpctl sandbox run -- cpctl orders l", {"list", "log"}, set()),
    ("cpctl sandbox run --orders 3 cpctl signal ship", {"shipped"}, set()),
    ("cpctl sandbox run -- cpct", {"cpctl"}, set()),
    ("cpctl --query sig --profile x ou", {"outbox"}, set()),
]


@pytest.mark.parametrize(("line", "among", "without"), CASES, ids=[case[0] for case in CASES])
def test_tab_offers_what_can_be_typed_there(
    static_shell: StaticShell, line: str, among: set[str], without: set[str]
) -> None:
    offered = static_shell[1](line)
    assert among <= set(offered)
    assert not without & set(offered)
    assert len(offered) == len(set(offered))


@pytest.mark.parametrize(
    "line", ["cpctl nosuch ", "cpctl signal nosuch --", "cpctl --nosuch=", "cpctl -n=", "cpctl x y"]
)
def test_after_a_wrong_word_nothing_is_offered(static_shell: StaticShell, line: str) -> None:
    typed = [] if line.endswith(" ") else [line.split(" ")[-1]]
    assert static_shell[1](line) in ([], typed)


@pytest.mark.parametrize("line", ["cpctl --query ", "cpctl signal shipped --tracking ", "cpctl sandbox advance "])
def test_nothing_is_offered_for_free_text(static_shell: StaticShell, line: str) -> None:
    cli, offered = static_shell
    (cli.folder / "x").touch()
    assert offered(line) == []
    assert not (cli.folder / "calls").exists()


def test_a_value_after_an_equals_sign_is_offered(static_shell: StaticShell) -> None:
    offered = static_shell[1]("cpctl orders list --output=")
    assert {each.removeprefix("--output=") for each in offered} == {*FORMATS}


def test_file_options_offer_files_and_folder_options_only_folders(static_shell: StaticShell) -> None:
    cli, offered = static_shell
    (cli.folder / "inbox").mkdir(exist_ok=True)
    (cli.folder / "in order.yaml").touch()
    for line in ("cpctl orders add in", "cpctl --config in", "cpctl signal send in", "cpctl api x --input in"):
        assert {each.rstrip("/") for each in offered(line)} == {"inbox", "in order.yaml"}
    assert [each.rstrip("/") for each in offered("cpctl signal watch in")] == ["inbox"]


def test_static_words_start_no_program(static_shell: StaticShell) -> None:
    cli, offered = static_shell
    for line, *_ in CASES:
        offered(line)
    assert not (cli.folder / "calls").exists()


def test_tab_on_a_dynamic_value_calls_cpctl_with_the_line_so_far(static_shell: StaticShell) -> None:
    cli, offered = static_shell
    calls = cli.folder / "calls"
    offered("cpctl -p live orders cancel ")
    assert calls.read_text(encoding="utf-8") == "__complete open-orders -p live orders cancel\n"
    calls.unlink()
