"""`cpctl explain`: every call and every signal, compared with the tables and with real requests."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from cpctl.api.endpoints import ENDPOINTS
from cpctl.api.endpoints import EXTRA_FIELDS as CALL_FIELDS
from cpctl.cli.framework import LazyGroup
from cpctl.cli.help.explanations import SEND_COMMANDS, all_calls
from cpctl.cli.root import COMMANDS, GROUPS
from cpctl.order_documents.fields import (
    DOCUMENTS,
    ORDER,
    PUBLISH_ORDER,
    QUOTE,
    RULE_DESCRIPTIONS,
    DocumentSection,
    find_problems,
)
from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_FIELDS, SIGNAL_TYPES
from cpctl.signals.webhook_types import WEBHOOK_TYPES
from examples.call_examples import EXAMPLES
from harness.cli_environment import CliEnvironment, CliResult
from harness.command_tree import ALL_COMMANDS

Invoke = Callable[..., CliResult]
COMMAND_ENDPOINTS = [row for row in ENDPOINTS.values() if row.commands]


def commands_with_body() -> list[tuple[str, ...]]:
    """Every command that makes a call: it has the option -f."""
    found = []
    for words in ALL_COMMANDS:
        group, name = (words[0], words[1]) if len(words) == 2 else (words[0], words[0])
        command: Any = LazyGroup(group, "").get_command(None, name)
        if group != "sandbox" and any("--field" in each.opts for each in command.params):
            found.append(words)
    return found


def explain_json(cli: CliEnvironment, invoke: Invoke, *arguments: str) -> Any:
    result = invoke(cli, "explain", *arguments, "-o", "json")
    assert result.code == 0, result.err
    return result.data


@pytest.mark.parametrize("arguments", commands_with_body(), ids=" ".join)
def test_every_command_that_makes_a_call_is_explained(
    unconfigured_cli: CliEnvironment, invoke: Invoke, arguments: tuple[str, ...]
) -> None:
    data = explain_json(unconfigured_cli, invoke, *arguments)
    if arguments == ("api",):
        assert [each["call"] for each in data] == list(all_calls())
    else:
        assert f"cpctl {' '.join(arguments)}" in data["commands"]
        assert explain_json(unconfigured_cli, invoke, "cpctl " + " ".join(arguments)) == data


@pytest.mark.parametrize("row", COMMAND_ENDPOINTS, ids=lambda row: row.name)
def test_every_call_is_found_by_command_name_and_path(
    unconfigured_cli: CliEnvironment, invoke: Invoke, row: Any
) -> None:
    words, publish, _ = row.commands[0].partition(" --api publish")
    by_command = explain_json(unconfigured_cli, invoke, f"publish.{words}" if publish else words)
    assert by_command["path"] == row.path
    assert by_command["key"] == row.key
    assert explain_json(unconfigured_cli, invoke, row.name)["path"] == row.path
    by_path = explain_json(unconfigured_cli, invoke, row.path)
    assert by_path["path"] == row.path
    assert by_command["effect"] == row.effect.value
    assert {each["status"] for each in by_command["answers"]} > {str(status) for status in row.statuses}


@pytest.mark.parametrize("row", COMMAND_ENDPOINTS, ids=lambda row: row.name)
def test_the_command_of_a_call_exists(row: Any) -> None:
    for command in row.commands:
        assert tuple(command.split(" --")[0].split()) in ALL_COMMANDS


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_explained_call_is_the_call_that_is_sent(cli: CliEnvironment, invoke: Invoke, name: str) -> None:
    example = EXAMPLES[name]
    if example.document:
        (cli.folder / "order.json").write_text(json.dumps(example.document))
    [sent] = invoke(cli, *example.arguments, "--dry-run", "-o", "json").data
    data = explain_json(cli, invoke, name)
    assert data["path"] == urlsplit(sent["url"]).path
    assert data["method"] == sent["method"]
    known = {each["name"] for each in data["fields"] if "[" not in each["name"]}
    needed = {each["name"] for each in data["fields"] if each["required"] and "[" not in each["name"]}
    assert needed <= set(sent["body"]) <= known


# Endpoints whose example exists already in the sandbox, or does not exist there.
CONFLICT_ENDPOINTS = ("catalogs/add", "titles/add")
NOT_FOUND_ENDPOINTS = ("orders/info", "orders/cancel", "orders/log", "orders/quote/info")


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in COMMAND_ENDPOINTS
        if row.name not in NOT_FOUND_ENDPOINTS and not row.name.startswith("publish/orders/")
    ],
    ids=lambda row: row.name,
)
def test_the_sandbox_accepts_the_example_of_a_call(cli: CliEnvironment, invoke: Invoke, row: Any) -> None:
    data = explain_json(cli, invoke, row.name)
    assert data["body"].pop("apikey") == "***"
    file = cli.folder / "body.json"
    file.write_text(json.dumps(data["body"]))
    result = invoke(cli, "api", row.path, "--input", str(file))
    assert result.code == (6 if row.name in CONFLICT_ENDPOINTS else 0), result.err


@pytest.mark.parametrize("kind", SIGNAL_TYPES.values(), ids=lambda kind: kind.name)
def test_every_signal_is_found_by_any_of_its_names(unconfigured_cli: CliEnvironment, invoke: Invoke, kind: Any) -> None:
    data = explain_json(unconfigured_cli, invoke, f"signal.{kind.command}")
    for name in (kind.name, kind.command, f"signal {kind.command}", f"signal.{kind.name}", kind.name.upper()):
        assert explain_json(unconfigured_cli, invoke, name) == data
    assert data["type"] == kind.name
    assert data["key"] == "signal"
    assert set(data["paths"]) == set(kind.required)


@pytest.mark.parametrize("kind", SIGNAL_TYPES.values(), ids=lambda kind: kind.name)
def test_the_explained_fields_of_a_signal_match_its_versions(
    unconfigured_cli: CliEnvironment, invoke: Invoke, kind: Any
) -> None:
    fields = {each["name"]: each for each in explain_json(unconfigured_cli, invoke, kind.name)["fields"]}
    for version in kind.required:
        names = {name for name, field in fields.items() if version in field["versions"]}
        assert names == {"apikey", "type", "datetime", *kind.required[version], *kind.optional}
        needed = {name for name in names if fields[name]["required"]}
        assert needed == {"apikey", "type", "datetime", *kind.required[version]}
    assert all(fields[name]["meaning"] and fields[name]["example"] for name in fields)


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("kind", SIGNAL_TYPES.values(), ids=lambda kind: kind.name)
def test_the_command_of_a_signal_sends_the_explained_example(
    cli: CliEnvironment, invoke: Invoke, kind: Any, version: str
) -> None:
    if version not in kind.required:
        pytest.skip(f"{version} has no {kind.name}")
    data = explain_json(cli, invoke, kind.name)
    body = {name: value for name, value in data["body"].items() if name in kind.required[version] + kind.optional}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in body.items() if name not in ("order", "item")]
    about = [body["item"], "--order", body["order"]] if "item" in body else [body["order"]]
    at = ["--at", "2016-01-20T13:00:00Z", "--api-version", version]
    [sent] = invoke(cli, "signal", kind.command, *about, *options, *at, "--dry-run", "-o", "json").data
    assert sent["body"] == {
        "apikey": "***",
        **{name: value for name, value in data["body"].items() if name in (*body, "type", "datetime")},
    }
    assert urlsplit(sent["url"]).path == data["paths"][version]


@pytest.mark.parametrize("name", [*SEND_COMMANDS, "signal", "/cloudsignal/2.0/status/", "/1.1/status", "signal-2.0"])
def test_commands_that_send_any_signal_list_all_signals(
    unconfigured_cli: CliEnvironment, invoke: Invoke, name: str
) -> None:
    assert [each["command"] for each in explain_json(unconfigured_cli, invoke, name)] == [
        f"cpctl signal {kind.command}" for kind in SIGNAL_TYPES.values()
    ]


@pytest.mark.parametrize("name", WEBHOOK_TYPES)
def test_every_webhook_is_explained(unconfigured_cli: CliEnvironment, invoke: Invoke, name: str) -> None:
    data = explain_json(unconfigured_cli, invoke, f"webhook.{name}")
    row = WEBHOOK_TYPES[name]
    assert data["body"]["type"] == name
    assert ("item" in data["body"]) == row.is_about_item
    assert {*row.fields, *row.optional} <= set(data["body"])
    assert data["key"] == "webhooks"
    assert {each["exit_status"] for each in data["answers"]} == {None}
    assert "exit status" not in invoke(unconfigured_cli, "explain", f"webhook.{name}").out


DOCUMENT_SECTIONS = {"orders.add": ORDER, "publish.orders.add": PUBLISH_ORDER, "quote.get": QUOTE, "quote.price": QUOTE}


def field_paths(level: DocumentSection, prefix: str = "") -> dict[str, bool]:
    found = {}
    for row in level.fields.values():
        if row.name != "path":
            found[prefix + row.name] = row.required
            if row.section:
                found |= field_paths(row.section, f"{prefix}{row.name}[].")
    return found


@pytest.mark.parametrize("name", DOCUMENT_SECTIONS)
def test_every_field_of_a_document_is_explained(unconfigured_cli: CliEnvironment, invoke: Invoke, name: str) -> None:
    data = explain_json(unconfigured_cli, invoke, name)
    explained = {field["name"]: field["required"] for field in data["fields"] if field["name"] != "apikey"}
    assert explained == field_paths(DOCUMENT_SECTIONS[name])
    assert all(each["meaning"] and each["type"] for each in data["fields"])
    examples = {each["name"]: each["example"] for each in data["fields"]}
    assert examples["country" if name.startswith("quote") else "addresses[].country"] in ("NL", "DE")
    assert not any(str(each).startswith("#") for each in examples.values())


@pytest.mark.parametrize(
    ("name", "section"),
    [("orders.add", ORDER), ("publish.orders.add", PUBLISH_ORDER), ("quote.get", QUOTE)],
)
def test_the_example_of_a_document_passes_its_own_checks(
    unconfigured_cli: CliEnvironment, invoke: Invoke, name: str, section: DocumentSection
) -> None:
    body = explain_json(unconfigured_cli, invoke, name)["body"]
    assert find_problems(section, {field: value for field, value in body.items() if field != "apikey"}) == []


def test_every_rule_of_a_document_has_a_description() -> None:
    def rules(level: DocumentSection) -> list[Any]:
        return [*level.rules, *(rule for row in level.fields.values() if row.section for rule in rules(row.section))]

    assert all(RULE_DESCRIPTIONS[rule] for top in DOCUMENTS for rule in rules(top))


def test_every_plain_field_of_a_call_has_a_meaning() -> None:
    for row in COMMAND_ENDPOINTS:
        for name in row.required:
            if name not in ("country", "items"):
                assert CALL_FIELDS[row.resource, name].meaning


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("ItemShiped", "signal.shipped"),
        ("signal.shiped", "signal.shipped"),
        ("shiped", "signal.shipped"),
        ("ordrs/info", "orders.info"),
        ("orders.ad", "orders.add"),
        ("quote.prise", "quote.price"),
        ("/cloudcore/1.0/orders/inf", "orders.info"),
        ("catalog add", "catalogs.add"),
        ("webhook.ItemValidatd", "webhook.ItemValidated"),
    ],
)
def test_a_mistyped_call_gets_a_suggestion(
    unconfigured_cli: CliEnvironment, invoke: Invoke, typed: str, suggested: str
) -> None:
    result = invoke(unconfigured_cli, "explain", typed)
    assert (result.code, result.out) == (2, "")
    assert f'Did you mean "{suggested}"?' in result.err
    assert invoke(unconfigured_cli, "explain", suggested).code == 0


def test_a_cloudpublish_call_is_found_by_its_command_line(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    by_name = explain_json(unconfigured_cli, invoke, "publish.orders.add")
    assert explain_json(unconfigured_cli, invoke, "orders", "add", "--api", "publish") == by_name
    assert explain_json(unconfigured_cli, invoke, by_name["commands"][0]) == by_name
    assert explain_json(unconfigured_cli, invoke, "orders", "add", "--api", "core")["call"] == "orders.add"
    mistyped = invoke(unconfigured_cli, "explain", "orders", "add", "--api", "publsh")
    assert (mistyped.code, "Did you mean" in mistyped.err) == (2, True)


@pytest.mark.parametrize("arguments", ["whoami", "signal history", "completion", "profile list"])
def test_a_command_without_a_call_is_refused_with_its_help(
    unconfigured_cli: CliEnvironment, invoke: Invoke, arguments: str
) -> None:
    result = invoke(unconfigured_cli, "explain", *arguments.split())
    assert result.code == 2
    assert f"`cpctl {arguments}` makes no call" in result.err
    assert f"`cpctl {arguments} --help`" in result.err


def test_explain_alone_lists_every_call_with_its_command(unconfigured_cli: CliEnvironment) -> None:
    listed = unconfigured_cli.run_json("explain")
    assert [each["call"] for each in listed] == list(all_calls())
    for each in listed:
        program, group, *_ = each["command"].split()
        assert program == "cpctl"
        assert group in (*GROUPS, *COMMANDS)


@pytest.mark.parametrize("name", all_calls())
def test_the_text_shows_fields_body_example_and_responses(
    unconfigured_cli: CliEnvironment, invoke: Invoke, name: str
) -> None:
    data = explain_json(unconfigured_cli, invoke, name)
    result = invoke(unconfigured_cli, "explain", name)
    assert (result.code, result.err) == (0, "")
    text = result.out
    assert text.startswith(f"{name}: {data['meaning'].split()[0]}")
    for field in data["fields"]:
        assert f"\n  {field['name']}" in text
    body = text.split("Example body\n")[1].split("\n\n")[0]
    assert json.loads(body) == data["body"]
    assert f"\n  {data['example']}\n" in text
    for answer in data["answers"]:
        assert f"\n  {answer['status']}" in text
    too_long = [line for line in text.splitlines() if len(line) > 80 and line.strip() != data["example"]]
    assert all('": "' in line for line in too_long), "only values of a body may be longer"


def test_tsv_output_has_a_row_per_field(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    lines = invoke(unconfigured_cli, "explain", "shipped", "-o", "tsv").out.splitlines()
    assert lines[0].split("\t")[:3] == ["name", "type", "required"]
    assert [line.split("\t")[0] for line in lines[1:]] == [
        "apikey",
        "type",
        *(name for name in SIGNAL_FIELDS if name in ("order", "item", "tracking", "shipping_option")),
        "datetime",
    ]
    query = invoke(unconfigured_cli, "explain", "shipped", "--query", "fields[?required].name", "-o", "value")
    assert "tracking\n" in query.out


def test_explain_needs_no_configuration_and_shows_no_key(unconfigured_cli: CliEnvironment) -> None:
    result = unconfigured_cli.run(
        "explain", "orders.add", CPCTL_CORE_KEY="a-real-key-of-mine", CPCTL_CONFIG="/nowhere.yaml"
    )
    assert result.code == 0
    assert "a-real-key-of-mine" not in result.out + result.err
    assert '"apikey": "***"' in result.out
