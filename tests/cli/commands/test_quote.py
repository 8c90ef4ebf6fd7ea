"""Quotes and prices are requested with options or documents, and offers are chosen."""

import sys
from collections.abc import Callable
from typing import Any

import pexpect
import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.call_examples import EXPRESS_QUOTE, GROUND_QUOTE, POSTAL_QUOTE, QUOTE_RESPONSE, encode_body
from examples.core_requests import CORE_PATH, ORDER, PUBLISH_ORDER, QUOTE, make_order
from harness.cli_environment import CliEnvironment, CliResult
from harness.servers.scripted_server import ScriptedResponse, scripted_server

Invoke = Callable[..., CliResult]
MakeCli = Callable[[str], CliEnvironment]
WriteDocument = Callable[..., str]
BOOK_ITEM = "textbook_pb_a4_p_bw,count=1,pageblock_80off=120,total_pages=120"
FLYER_ITEM = "flyer_ss_a5_fc,count=500"


def last_request_body(sandbox: Sandbox) -> Any:
    return sandbox.state.journal.list_entries()[-1]["body"]


@pytest.mark.parametrize(("command", "path"), [("get", "orders/quote"), ("price", "prices/lookup")])
def test_options_make_the_documented_request(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, command: str, path: str
) -> None:
    result = invoke(cli, "quote", command, "--country", "nl", "--item", BOOK_ITEM, "-o", "json")
    assert result.code == 0, result.err
    items = [{**QUOTE["items"][0], "reference": "item-1"}]
    assert last_request_body(sandbox) == {"apikey": "***", "country": "NL", "items": items}
    assert sandbox.state.journal.list_entries()[-1]["path"] == CORE_PATH + path
    assert set(QUOTE_RESPONSE) <= set(result.data)


def test_several_items_are_numbered_and_have_a_list_of_options(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox
) -> None:
    arguments = (
        "--country",
        "US",
        "--state",
        "FL",
        "--currency",
        "USD",
        "--item",
        FLYER_ITEM,
        "--item",
        "poster_a3_fc",
    )
    assert invoke(cli, "quote", "get", *arguments).code == 0
    assert last_request_body(sandbox) == {
        "apikey": "***",
        "country": "US",
        "state": "FL",
        "currency": "USD",
        "items": [
            {"reference": "item-1", "product": "flyer_ss_a5_fc", "count": "500", "options": []},
            {"reference": "item-2", "product": "poster_a3_fc", "count": "1", "options": []},
        ],
    }


def test_an_order_document_is_quoted(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    assert invoke(cli, "quote", "get", write_document(ORDER)).code == 0
    item = {name: ORDER["items"][0][name] for name in ("reference", "product", "count", "options")}
    assert last_request_body(sandbox) == {"apikey": "***", "country": "DE", "items": [item]}


def test_options_override_a_document(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    assert invoke(cli, "quote", "get", write_document(QUOTE), "--country", "de", "--currency", "USD").code == 0
    assert (last_request_body(sandbox)["country"], last_request_body(sandbox)["currency"]) == ("DE", "USD")


def test_a_quote_document_is_read_from_standard_input(cli: CliEnvironment, sandbox: Sandbox) -> None:
    text = "country: NL\nitems:\n- {reference: '1', product: flyer_ss_a5_fc, count: 100}\n"
    assert cli.run("quote", "get", "-", input=text).code == 0
    assert last_request_body(sandbox)["items"][0]["options"] == []


def test_a_publish_order_has_no_quote(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    result = invoke(cli, "quote", "get", write_document(PUBLISH_ORDER))
    assert result.code == 2
    assert "CloudPublish" in result.err
    assert sandbox.state.journal.list_entries() == []


# --- offers ---------------------------------------------------------------------------------

TWO_SHIPMENTS_QUOTE: dict[str, Any] = {
    "expire_date": "2026-09-12T07:58:51.496394Z",
    "shipments": [
        {
            "items": [{"reference": "1"}, {"reference": "2"}],
            "quotes": [
                {"quote": "c" * 64, "shipping_level": "cp_fast", "shipping_option": "DHL ", "price": "14.5000"},
                {"quote": "b" * 64, "shipping_level": "cp_ground", "shipping_option": "Colissimo ", "price": "9.2160"},
                {"quote": "a" * 64, "shipping_level": "cp_fast", "shipping_option": "UPS", "price": "10.0000"},
            ],
        },
        {
            "items": [{"reference": "3"}],
            "quotes": [{"quote": "d" * 64, "shipping_level": "cp_fast", "shipping_option": "X", "price": "100.0"}],
        },
    ],
}


@pytest.fixture
def run_quote(invoke: Invoke, make_cli: MakeCli) -> Callable[..., CliResult]:
    """Request a quote that is answered with two shipments."""

    def run(*options: str, answer: Any = TWO_SHIPMENTS_QUOTE) -> CliResult:
        with scripted_server({f"{CORE_PATH}orders/quote": ScriptedResponse(200, encode_body(answer))}) as service:
            return invoke(make_cli(service.url), "quote", "get", "--country", "NL", "--item", FLYER_ITEM, *options)

    return run


def test_offers_are_sorted_by_numeric_price_and_their_carrier_is_trimmed(
    run_quote: Callable[..., CliResult],
) -> None:
    heading, *rows = (line.split("\t") for line in run_quote().out.splitlines())
    offers = [dict(zip(heading, row, strict=True)) for row in rows]
    assert [row["price"] for row in offers] == ["9.2160", "10.0000", "14.5000", "100.0"]
    assert [row["shipping_option"] for row in offers] == ["Colissimo", "UPS", "DHL", "X"]
    assert [row["shipment"] for row in offers] == ["1", "1", "1", "2"]
    assert [row["items"] for row in offers] == ["1, 2"] * 3 + ["3"]


def test_json_shows_the_unchanged_answer(run_quote: Callable[..., CliResult]) -> None:
    assert run_quote("-o", "json").data == TWO_SHIPMENTS_QUOTE


def test_the_cheapest_offer_of_each_shipment_is_chosen(run_quote: Callable[..., CliResult]) -> None:
    assert [row["quote"][0] for row in run_quote("--cheapest", "-o", "json").data] == ["b", "d"]
    assert run_quote("--cheapest", "-o", "value").out.splitlines() == ["b" * 64, "d" * 64]
    assert run_quote("--level", "cp_fast", "-o", "value").out.splitlines() == ["a" * 64, "d" * 64]
    assert run_quote("--level", "cp_fast", "-o", "value", "--query", "[].price").out.splitlines() == [
        "10.0000",
        "100.0",
    ]


def test_a_level_that_is_not_offered_is_not_found_and_gets_a_suggestion(run_quote: Callable[..., CliResult]) -> None:
    result = run_quote("--level", "cp_grund")
    assert (result.code, result.out) == (9, "")
    assert 'Shipment 1 has no offer of the level "cp_grund".' in result.err
    assert 'Did you mean "cp_ground"?' in result.err
    result = run_quote("--level", "cp_ground")
    assert (result.code, result.out) == (9, "")
    assert "Shipment 2" in result.err


def test_an_offer_without_a_price_is_never_the_cheapest(run_quote: Callable[..., CliResult]) -> None:
    offers = [{"quote": "x", "price": None}, {"quote": "y", "price": "soon"}, {"quote": "z", "price": "1.0000"}]
    result = run_quote("--cheapest", "-o", "value", answer={"shipments": [{"quotes": offers}]})
    assert result.out == "z\n"


# --- invalid requests -----------------------------------------------------------------------


def test_a_missing_state_is_an_error_without_a_terminal(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    for country in ("US", "CA"):
        result = invoke(cli, "quote", "get", "--country", country, "--item", FLYER_ITEM)
        assert result.code == 2
        assert f"shipping states {country}" in result.err
    assert sandbox.state.journal.list_entries() == []


def test_a_missing_state_is_prompted_for_at_a_terminal(cli: CliEnvironment, sandbox: Sandbox) -> None:
    process = pexpect.spawn(
        sys.executable,
        ["-m", "cpctl", "quote", "get", "--country", "US", "--item", FLYER_ITEM],
        env=cli.process_environment(),
        cwd=str(cli.folder),
        encoding="utf-8",
        timeout=30,
    )
    process.expect_exact("State (US)")
    process.sendline("fl")
    process.read()
    process.close()
    assert process.exitstatus == 0
    assert last_request_body(sandbox)["state"] == "FL"


BAD_ARGUMENTS = {
    "no country": (["--item", FLYER_ITEM], "country"),
    "an invalid country": (["--country", "UK", "--item", FLYER_ITEM], 'Did you mean "GB"'),
    "an invalid currency": (["--country", "NL", "--currency", "Euro", "--item", FLYER_ITEM], 'Did you mean "EUR"'),
    "an invalid state": (["--country", "US", "--state", "ZZ", "--item", FLYER_ITEM], "is not a state of US"),
    "no items": (["--country", "NL"], "--item"),
    "no product": (["--country", "NL", "--item", "count=1"], "the product comes first"),
    "a count of zero": (["--country", "NL", "--item", "flyer_ss_a5_fc,count=0"], "must be a whole number"),
    "an option without count": (["--country", "NL", "--item", "flyer_ss_a5_fc,paper_90off"], "OPTION=COUNT"),
    "an option twice": (["--country", "NL", "--item", "flyer_ss_a5_fc,a=1,a=1"], "given twice"),
    "an option family": (["--country", "NL", "--item", "flyer_ss_a5_fc,type_main_paper=1"], "family"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS.values(), ids=list(BAD_ARGUMENTS))
def test_invalid_arguments_are_refused_before_any_call(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, arguments: list[str], message: str
) -> None:
    result = invoke(cli, "quote", "get", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert sandbox.state.journal.list_entries() == []


def test_a_document_and_items_together_are_refused(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    assert invoke(cli, "quote", "get", write_document(QUOTE), "--item", FLYER_ITEM).code == 2


def test_the_service_refuses_an_option_that_the_product_does_not_have(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "quote", "get", "--country", "NL", "--item", "flyer_ss_a5_fc,pageblock_80off=1")
    assert result.code == 5
    assert "option_unknown: pageblock_80off" in result.err


# --- hashes ---------------------------------------------------------------------------------


def test_a_quote_can_be_ordered_and_shown_until_it_expires(
    dialect_cli: CliEnvironment, dialect_sandbox: Sandbox, invoke: Invoke, write_document: WriteDocument
) -> None:
    result = invoke(dialect_cli, "quote", "get", write_document(ORDER), "--cheapest", "-o", "value")
    assert (result.code, len(result.out.split())) == (0, 1)
    quote = result.out.strip()
    known = invoke(dialect_cli, "quote", "info", quote, "-o", "json")
    assert (known.code, known.data["quote"]) == (0, quote)
    order = make_order("quoted")
    del order["items"][0]["shipping_level"]
    order["items"][0]["quote"] = quote
    assert invoke(dialect_cli, "orders", "add", write_document(order)).code == 0

    dialect_sandbox.state.advance(49 * 3600)
    late = invoke(dialect_cli, "orders", "add", write_document({**order, "reference": "late"}))
    assert (late.code, late.out) == (5, "")
    assert "Quote hash not found or expired" in late.err
    expired = invoke(dialect_cli, "quote", "info", quote)
    assert expired.code == 9
    assert "cpctl quote get" in expired.err or "There is no quote" in expired.err


def test_an_answer_without_the_hash_means_not_found(invoke: Invoke, make_cli: MakeCli) -> None:
    with scripted_server({f"{CORE_PATH}orders/quote/info": ScriptedResponse(200, b"{}")}) as service:
        assert invoke(make_cli(service.url), "quote", "info", POSTAL_QUOTE).code == 9


def test_the_documented_offers_are_chosen_by_level(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument
) -> None:
    write_document(QUOTE)
    with scripted_server({f"{CORE_PATH}prices/lookup": ScriptedResponse(200, encode_body(QUOTE_RESPONSE))}) as service:
        environment = make_cli(service.url)
        for level, quote in (("cp_postal", POSTAL_QUOTE), ("cp_ground", GROUND_QUOTE), ("cp_fast", EXPRESS_QUOTE)):
            assert (
                invoke(environment, "quote", "price", "order.json", "--level", level, "-o", "value").out == f"{quote}\n"
            )
        assert (
            invoke(environment, "quote", "price", "order.json", "--cheapest", "-o", "value").out == f"{POSTAL_QUOTE}\n"
        )
