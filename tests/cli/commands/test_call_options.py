"""Options of every call: extra fields, queries, and many references at once."""

import sys
from collections.abc import Callable

import pexpect
import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.call_examples import EXAMPLES, encode_body
from examples.core_requests import CORE_PATH
from harness.cli_environment import CliEnvironment, CliResult
from harness.servers.scripted_server import ScriptedResponse, scripted_server

Invoke = Callable[..., CliResult]
MakeCli = Callable[[str], CliEnvironment]
WriteDocument = Callable[..., str]


@pytest.mark.parametrize("name", EXAMPLES)
def test_extra_fields_are_sent_with_every_call(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, name: str
) -> None:
    example = EXAMPLES[name]
    if example.document:
        write_document(example.document)
    with scripted_server({example.path: ScriptedResponse(example.status, encode_body(example.response))}) as service:
        cli = make_cli(service.url)
        assert invoke(cli, *example.arguments, "-f", "x_new=a=b", "--field", "x_empty=").code == 0
        assert service.bodies == [{**example.request, "x_new": "a=b", "x_empty": ""}]
        for field in (*example.request, "apikey"):
            result = invoke(cli, *example.arguments, "-f", f"{field}=x")
            assert result.code == 2
            assert f"{field} is given twice" in result.err
        assert invoke(cli, *example.arguments, "-f", "x=1", "-f", "x=2").code == 2
    assert len(service.requests) == 1


def test_a_query_is_applied_to_the_whole_result(cli: CliEnvironment, invoke: Invoke) -> None:
    for output, shown in (
        ("json", '[\n  "order-1",\n  "order-2"\n]\n'),
        ("jsonl", '"order-1"\n"order-2"\n'),
        ("yaml", "- order-1\n- order-2\n"),
        ("value", "order-1\norder-2\n"),
        ("tsv", "value\norder-1\norder-2\n"),
        ("csv", "value\norder-1\norder-2\n"),
    ):
        result = invoke(cli, "orders", "list", "--query", "[].reference", "-o", output)
        assert (result.code, result.out) == (0, shown)
    several = invoke(cli, "orders", "info", "order-1", "order-2", "--query", "[].items[].reference", "-o", "value")
    assert several.out.split()[:2] == ["order-1-1", "order-1-2"]
    one = invoke(cli, "orders", "info", "order-1", "--query", "items[0].reference", "-o", "value")
    assert one.out == "order-1-1\n"


def test_an_invalid_query_is_refused_before_any_call(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    for arguments in (["catalogs", "remove", "catalog_1", "--yes"], ["orders", "list"]):
        assert invoke(cli, *arguments, "--query", "[").code == 2
    assert sandbox.state.journal.list_entries() == []


def test_a_change_stays_a_success_if_its_query_fails(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "catalogs", "remove", "catalog_1", "--yes", "--query", "length(status)", "-o", "json")
    assert (result.code, result.out) == (0, "1\n")
    broken = invoke(cli, "catalogs", "remove", "catalog_2", "--yes", "--query", "abs(status)")
    assert broken.code == 0
    assert "cannot be applied" in broken.err


MANY_REFERENCES = [f"order-{n}" for n in range(1, 31)]


def test_many_references_are_requested_concurrently_and_shown_in_order(invoke: Invoke, make_cli: MakeCli) -> None:
    with Sandbox(orders=30, items=1) as sandbox:
        sandbox.add_fault(make_fault("latency", f"{CORE_PATH}orders/info", 3, seconds=0.2))
        cli = make_cli(sandbox.base_url)
        result = invoke(cli, "orders", "info", *reversed(MANY_REFERENCES), "-o", "json")
        assert [order["reference"] for order in result.data] == MANY_REFERENCES[::-1]
        assert len(sandbox.state.journal.list_entries()) == 30
        again = invoke(cli, "orders", "info", *MANY_REFERENCES)
        assert [line.split("\t")[0] for line in again.out.splitlines()[1:]] == MANY_REFERENCES


def test_a_terminal_shows_and_clears_the_progress_of_many_calls(make_cli: MakeCli) -> None:
    with Sandbox(orders=30, items=1) as sandbox:
        cli = make_cli(sandbox.base_url)
        process = pexpect.spawn(
            sys.executable,
            ["-m", "cpctl", "orders", "info", *MANY_REFERENCES, "nobody"],
            env=cli.process_environment(),
            cwd=str(cli.folder),
            dimensions=(60, 120),
            encoding="utf-8",
            timeout=30,
        )
        process.expect_exact("1 of 31")
        process.expect_exact("30 of 31")
        rest = process.read()
        process.close()
    assert process.exitstatus == 6
    assert 'There is no order "nobody".' in rest
    lines = [line for line in rest.splitlines() if line.startswith("order-")]
    assert [line.split()[0] for line in lines] == MANY_REFERENCES


def test_there_is_no_progress_in_a_pipe_or_when_quiet(invoke: Invoke, cli: CliEnvironment) -> None:
    assert invoke(cli, "orders", "info", "order-1", "order-2").err == ""
    assert invoke(cli, "orders", "cancel", "order-1", "--yes", "-q").err.startswith("cpctl: The order")


@pytest.mark.parametrize(
    "arguments", [["products", "info"], ["catalogs", "info"], ["titles", "info"], ["products", "mix"]]
)
def test_several_references_can_be_shown_at_once(cli: CliEnvironment, invoke: Invoke, arguments: list[str]) -> None:
    known = {
        "products info": ["flyer_ss_a5_fc", "poster_a3_fc"],
        "catalogs info": ["catalog_2", "catalog_1"],
        "titles info": ["9780306406157", "1234567890123"],
        "products mix": ["product_mix_test", "photobook_s210_gloss"],
    }[" ".join(arguments)]
    result = invoke(cli, *arguments, *known, "-o", "json")
    assert result.code == 0
    assert [reference in each.values() for each, reference in zip(result.data, known, strict=True)] == [True, True]
    partly = invoke(cli, *arguments, known[0], "nothing", "-o", "json")
    assert (partly.code, len(partly.data)) == (6, 1)
    assert "nothing" in partly.err


def test_lists_are_searched_case_insensitively(cli: CliEnvironment, invoke: Invoke) -> None:
    def found(*arguments: str) -> list[str]:
        return [str(next(iter(row.values()))) for row in invoke(cli, *arguments, "-o", "json").data]

    assert found("shipping", "countries", "--search", "UNITED k") == ["GB"]
    assert found("catalogs", "list", "--search", "second") == ["catalog_2"]
    assert found("titles", "list", "catalog_1", "--search", "vol 2") == ["1234567890124"]
    assert found("products", "mixes", "--search", "photo") == ["photobook_s210_gloss"]
    assert all("Flyer" in name for name in found("products", "list", "--category", "flyer"))
    assert found("products", "list", "--category", "nothing") == []
    assert {"AL", "AK"} <= set(found("shipping", "states", "us"))
