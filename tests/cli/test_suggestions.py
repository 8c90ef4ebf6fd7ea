"""Mistyped names get a suggestion, and nothing is sent or stored."""

from collections.abc import Callable

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, CliEnvironment, CliResult, sandbox_configuration, shipped_command

Invoke = Callable[..., CliResult]
ITEM_OPTION = ("--item", "flyer_ss_a5_fc,count=500")

# The mistyped name: the arguments, and the suggestion.
MISTYPED_COMMANDS = {
    "a group": (("sigal", "packed"), '"signal"'),
    "a command": (("signal", "shiped", ITEM), '"shipped"'),
    "a command of another group": (("outbox", "shipped"), "`cpctl signal shipped`"),
    "a command without its group": (("shipped", ITEM), "`cpctl signal shipped`"),
    "a mistyped command without its group": (("shiped", ITEM), "`cpctl signal shipped`"),
    "a command that many groups have": (("remove", "x"), "`cpctl catalogs remove` or `cpctl titles remove`"),
    "a command in capitals": (("SIGNAL", "packed"), '"signal"'),
    "a command without a group": (("whoam",), '"whoami"'),
    "an option": (("signal", "shipped", ITEM, "--order", ORDER, "--trakcing", "x"), '"--tracking"'),
    "an option with its value": (("signal", "shipped", ITEM, "--trakcing=x"), '"--tracking"'),
    "a shared option": (("whoami", "--ouput", "json"), '"--output"'),
    "a shared option before the command": (("--proflie", "x", "whoami"), '"--profile"'),
    "a shared option of a group": (("signal", "--dryrun", "types"), '"--dry-run"'),
    "an option by its last word": (("signal", "shipped", ITEM, "--option", "UPS"), '"--shipping-option"'),
    "the version": (("--versoin",), '"--version"'),
    "a format": (("signal", "types", "-o", "jsn"), '"json"'),
    "when to use color": (("signal", "types", "--color", "alwys"), '"always"'),
    "a cause": (
        ("signal", "canceled", ITEM, "--order", ORDER, "--cause", "CancelBokSize"),
        '"CancelBookSize"',
    ),
    "a state of a signal in the outbox": (("outbox", "list", "--state", "quued"), '"queued"'),
    "a state of a signal in the history": (("signal", "history", "--state", "delivred"), '"delivered"'),
    "a state of an order": (("orders", "list", "--state", "uplodaed"), '"uploaded"'),
    "what to wait for": (("orders", "wait", "x", "--for", "dne"), '"done"'),
    "an API": (("orders", "list", "--api", "publsh"), '"publish"'),
    "a service": (("api", "orders", "--service", "signl"), '"signal"'),
    "the country of a quote": (("quote", "get", "--country", "Germny", *ITEM_OPTION), '"DE" (Germany)'),
    "the country of states": (("shipping", "states", "Germny"), '"DE" (Germany)'),
    "the currency of a quote": (
        ("quote", "get", "--country", "DE", "--currency", "Eruo", *ITEM_OPTION),
        '"EUR" (Euro)',
    ),
    "the state of a quote": (
        ("quote", "get", "--country", "US", "--state", "Californa", *ITEM_OPTION),
        '"CA" (California)',
    ),
    "a map": (("signal", "send", "rows.csv", "--map", "ups-wordship"), '"ups-worldship"'),
    "a type in a file": (("signal", "send", "rows.csv", "--type", "ItemShiped"), '"ItemShipped"'),
    "a field that is set": (("signal", "send", "rows.csv", "--set", "trackng=x"), '"tracking"'),
    "a type for the bench": (("signal", "scan", "--type", "shiped"), '"shipped"'),
    "a fault": (("sandbox", "fault", "latncy"), '"latency"'),
    "a dialect": (("sandbox", "serve", "--dialect", "documentd"), '"documented"'),
    "a webhook": (("sandbox", "trigger", "ItemShiped"), '"ItemShipped"'),
    "a shell": (("completion", "bsh"), '"bash"'),
}


@pytest.mark.parametrize("arguments", [row[0] for row in MISTYPED_COMMANDS.values()], ids=list(MISTYPED_COMMANDS))
def test_a_mistyped_name_gets_a_suggestion(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, arguments: tuple[str, ...]
) -> None:
    (cli.folder / "rows.csv").write_text(f"order,item,tracking\n{ORDER},{ITEM},1Z5R89390357567127\n")
    suggested = next(hint for typed, hint in MISTYPED_COMMANDS.values() if typed == arguments)
    result = invoke(cli, *arguments, CPCTL_SANDBOX_CONTROL=sandbox.control_url)
    assert result.code == 2, result.err
    assert f"Did you mean {suggested}?" in result.err
    assert result.out == ""
    assert sandbox.state.journal.list_entries() == []


MISTYPED_SETTINGS = {
    "a profile": ("", ("-p", "sandbx", "whoami"), '"sandbox"'),
    "a setting": ("    shiping_option: GLS\n", ("whoami",), '"shipping_option"'),
    "a way to a key": ("", ("whoami",), '"api_key_file"'),
    "a carrier": ("    carriers: [dlh-de]\n", ("signal", "send", "rows.csv"), '"dhl-de"'),
    "a field of a map": (
        "    maps: {labels: {trackng: Parcel}}\n",
        ("signal", "send", "rows.csv", "--map", "labels"),
        '"tracking"',
    ),
}


@pytest.mark.parametrize("what", MISTYPED_SETTINGS)
def test_a_mistyped_name_in_the_configuration_gets_a_suggestion(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, what: str
) -> None:
    more, arguments, suggested = MISTYPED_SETTINGS[what]
    text = sandbox_configuration(sandbox.base_url, more)
    cli.configure(text.replace("core: {api_key:", "core: {api_key_fil:") if what == "a way to a key" else text)
    (cli.folder / "rows.csv").write_text(f"order,item,tracking\n{ORDER},{ITEM},1Z5R89390357567127\n")
    result = invoke(cli, *arguments)
    assert result.code == (2 if what == "a field of a map" else 3), result.err
    assert f"Did you mean {suggested}?" in result.err


def test_a_shipping_level_without_offers_gets_a_suggestion(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "quote", "get", "--country", "DE", *ITEM_OPTION, "--level", "cp_grond")
    assert result.code == 9
    assert 'Did you mean "cp_ground"?' in result.err


def test_a_mistyped_level_in_a_document_gets_a_suggestion(cli: CliEnvironment, invoke: Invoke) -> None:
    text = invoke(cli, "orders", "add", "--skeleton").out
    order = cli.folder / "order.yaml"
    order.write_text(text.replace("shipping_level: cp_ground", "shipping_level: cp_grond"))
    assert 'Did you mean "cp_ground"?' in invoke(cli, "orders", "add", str(order), "--check").out


def test_a_path_similar_to_a_known_one_is_sent_with_a_warning(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    result = invoke(cli, "api", "ordrs/info", "-f", "reference=x")
    assert 'cpctl does not know the path "ordrs/info". Did you mean "orders/info"?' in result.err
    assert result.code == 5
    assert [request["path"] for request in sandbox.state.journal.list_entries()] == ["/cloudcore/1.0/ordrs/info"]
    for path in ("orders/info", "/cloudcore/1.0/orders/", "orders", "something/new"):
        assert "Did you mean" not in invoke(cli, "api", path).err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["signal", "shipped", ITEM, "--order", ORDER, "--tracking"], "cpctl signal shipped"),
        (["orders", "list", "--limit"], "cpctl orders list"),
        (["signal", "types", "-o"], "cpctl signal types"),
        (["signal", "--profile"], "cpctl signal"),
        (["--profile"], "cpctl"),
    ],
)
def test_an_option_without_its_value_points_to_the_help_of_its_own_command(
    cli: CliEnvironment, invoke: Invoke, arguments: list[str], command: str
) -> None:
    result = invoke(cli, *arguments)
    assert result.code == 2
    assert "requires an argument" in result.err
    assert f"`{command} --help` shows how." in result.err


def test_an_option_without_similar_ones_gets_no_suggestion(cli: CliEnvironment, invoke: Invoke) -> None:
    for word in ("--xyzzy", "-z", "--carrier", "--key"):
        result = invoke(cli, "whoami", word)
        assert result.code == 2
        assert result.err.splitlines()[0] == f'cpctl: There is no option "{word}".'


def test_a_mistyped_option_stores_nothing(cli: CliEnvironment) -> None:
    result = cli.run(*shipped_command(), "--require-delivry")
    assert (result.code, result.out) == (2, "")
    assert 'Did you mean "--require-delivery"?' in result.err
    assert not cli.store.exists()
