"""Quotes and prices: from words, from documents, and what is chosen of the offers."""

import sys
from collections.abc import Callable
from typing import Any

import pexpect
import pytest
from call_examples import CORE, FAST, GROUND, OFFERS, ORDER, POSTAL, PUBLISH_ORDER, QUOTE, an_order, as_bytes
from call_server import Said, scripted
from worlds import Result, World

from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
AtUrl = Callable[[str], World]
Write = Callable[..., str]
BOOK = "textbook_pb_a4_p_bw,count=1,pageblock_80off=120,total_pages=120"
FLYER = "flyer_ss_a5_fc,count=500"


def sent(sandbox: Sandbox) -> Any:
    """The body of the last request."""
    return sandbox.state.journal.list_entries()[-1]["body"]


@pytest.mark.parametrize(("word", "path"), [("get", "orders/quote"), ("price", "prices/lookup")])
def test_words_make_the_request_of_the_document(
    world: World, inside: Inside, sandbox: Sandbox, word: str, path: str
) -> None:
    result = inside(world, "quote", word, "--country", "nl", "--item", BOOK, "-o", "json")
    assert result.code == 0, result.err
    items = [{**QUOTE["items"][0], "reference": "item-1"}]
    assert sent(sandbox) == {"apikey": "***", "country": "NL", "items": items}
    assert sandbox.state.journal.list_entries()[-1]["path"] == CORE + path
    assert set(OFFERS) <= set(result.data)


def test_several_items_are_numbered_and_have_options_even_where_none_are_given(
    world: World, inside: Inside, sandbox: Sandbox
) -> None:
    words = ("--country", "US", "--state", "FL", "--currency", "USD", "--item", FLYER, "--item", "poster_a3_fc")
    assert inside(world, "quote", "get", *words).code == 0
    assert sent(sandbox) == {
        "apikey": "***",
        "country": "US",
        "state": "FL",
        "currency": "USD",
        "items": [
            {"reference": "item-1", "product": "flyer_ss_a5_fc", "count": "500", "options": []},
            {"reference": "item-2", "product": "poster_a3_fc", "count": "1", "options": []},
        ],
    }


def test_a_quote_is_asked_for_an_order_at_hand(world: World, inside: Inside, sandbox: Sandbox, write: Write) -> None:
    assert inside(world, "quote", "get", write(ORDER)).code == 0
    item = {name: ORDER["items"][0][name] for name in ("reference", "product", "count", "options")}
    assert sent(sandbox) == {"apikey": "***", "country": "DE", "items": [item]}


def test_options_overrule_a_document(world: World, inside: Inside, sandbox: Sandbox, write: Write) -> None:
    assert inside(world, "quote", "get", write(QUOTE), "--country", "de", "--currency", "USD").code == 0
    assert (sent(sandbox)["country"], sent(sandbox)["currency"]) == ("DE", "USD")


def test_a_quote_document_is_read_from_standard_input(world: World, sandbox: Sandbox) -> None:
    text = "country: NL\nitems:\n- {reference: '1', product: flyer_ss_a5_fc, count: 100}\n"
    assert world.run("quote", "get", "-", input=text).code == 0
    assert sent(sandbox)["items"][0]["options"] == []


def test_titles_have_no_quote(world: World, inside: Inside, sandbox: Sandbox, write: Write) -> None:
    result = inside(world, "quote", "get", write(PUBLISH_ORDER))
    assert result.code == 2
    assert "CloudPublish" in result.err
    assert sandbox.state.journal.list_entries() == []


# --- what is shown --------------------------------------------------------------------------

MIXED: dict[str, Any] = {
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
def ask(inside: Inside, at_url: AtUrl) -> Callable[..., Result]:
    """Ask for a quote that is answered with two shipments."""

    def run(*words: str, answer: Any = MIXED) -> Result:
        with scripted({f"{CORE}orders/quote": Said(200, as_bytes(answer))}) as service:
            return inside(at_url(service.url), "quote", "get", "--country", "NL", "--item", FLYER, *words)

    return run


def test_offers_are_sorted_by_price_as_numbers_and_their_carrier_is_trimmed(ask: Callable[..., Result]) -> None:
    heading, *rows = (line.split("\t") for line in ask().out.splitlines())
    shown = [dict(zip(heading, row, strict=True)) for row in rows]
    assert [row["price"] for row in shown] == ["9.2160", "10.0000", "14.5000", "100.0"]
    assert [row["shipping_option"] for row in shown] == ["Colissimo", "UPS", "DHL", "X"]
    assert [row["shipment"] for row in shown] == ["1", "1", "1", "2"]
    assert [row["items"] for row in shown] == ["1, 2"] * 3 + ["3"]


def test_scripts_get_the_answer_as_it_is(ask: Callable[..., Result]) -> None:
    assert ask("-o", "json").data == MIXED


def test_the_cheapest_offer_of_each_shipment_is_chosen(ask: Callable[..., Result]) -> None:
    assert [row["quote"][0] for row in ask("--cheapest", "-o", "json").data] == ["b", "d"]
    assert ask("--cheapest", "-o", "value").out.splitlines() == ["b" * 64, "d" * 64]
    assert ask("--level", "cp_fast", "-o", "value").out.splitlines() == ["a" * 64, "d" * 64]
    assert ask("--level", "cp_fast", "-o", "value", "--query", "[].price").out.splitlines() == ["10.0000", "100.0"]


def test_a_level_that_is_not_offered_is_not_found_and_the_nearest_named(ask: Callable[..., Result]) -> None:
    result = ask("--level", "cp_grund")
    assert (result.code, result.out) == (9, "")
    assert 'Shipment 1 has no offer of the level "cp_grund".' in result.err
    assert 'Did you mean "cp_ground"?' in result.err
    result = ask("--level", "cp_ground")
    assert (result.code, result.out) == (9, "")
    assert "Shipment 2" in result.err


def test_an_offer_without_a_price_is_never_the_cheapest(ask: Callable[..., Result]) -> None:
    offers = [{"quote": "x", "price": None}, {"quote": "y", "price": "soon"}, {"quote": "z", "price": "1.0000"}]
    result = ask("--cheapest", "-o", "value", answer={"shipments": [{"quotes": offers}]})
    assert result.out == "z\n"


# --- what is refused ------------------------------------------------------------------------


def test_a_country_with_states_needs_one_where_nobody_can_be_asked(
    world: World, inside: Inside, sandbox: Sandbox
) -> None:
    for country in ("US", "CA"):
        result = inside(world, "quote", "get", "--country", country, "--item", FLYER)
        assert result.code == 2
        assert f"shipping states {country}" in result.err
    assert sandbox.state.journal.list_entries() == []


def test_a_person_is_asked_for_the_state(world: World, sandbox: Sandbox) -> None:
    process = pexpect.spawn(
        sys.executable,
        ["-m", "cpctl", "quote", "get", "--country", "US", "--item", FLYER],
        env=world.env(),
        cwd=str(world.folder),
        encoding="utf-8",
        timeout=30,
    )
    process.expect_exact("State (US)")
    process.sendline("fl")
    process.read()
    process.close()
    assert process.exitstatus == 0
    assert sent(sandbox)["state"] == "FL"


WRONG = {
    "no country": (["--item", FLYER], "country"),
    "a country that is none": (["--country", "UK", "--item", FLYER], 'Did you mean "GB"'),
    "a currency that is none": (["--country", "NL", "--currency", "Euro", "--item", FLYER], 'Did you mean "EUR"'),
    "a state that is none": (["--country", "US", "--state", "ZZ", "--item", FLYER], "no state of US"),
    "no items": (["--country", "NL"], "--item"),
    "no product": (["--country", "NL", "--item", "count=1"], "the product comes first"),
    "nothing of a thing": (["--country", "NL", "--item", "flyer_ss_a5_fc,count=0"], "whole number of 1 or more"),
    "an option without count": (["--country", "NL", "--item", "flyer_ss_a5_fc,paper_90off"], "OPTION=COUNT"),
    "an option twice": (["--country", "NL", "--item", "flyer_ss_a5_fc,a=1,a=1"], "given twice"),
    "a family for an option": (["--country", "NL", "--item", "flyer_ss_a5_fc,type_main_paper=1"], "family"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_said_before_anybody_is_asked(
    world: World, inside: Inside, sandbox: Sandbox, words: list[str], said: str
) -> None:
    result = inside(world, "quote", "get", *words)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert sandbox.state.journal.list_entries() == []


def test_a_document_and_items_are_one_too_many(world: World, inside: Inside, write: Write) -> None:
    assert inside(world, "quote", "get", write(QUOTE), "--item", FLYER).code == 2


def test_an_option_the_product_does_not_have_is_refused_by_the_service(world: World, inside: Inside) -> None:
    result = inside(world, "quote", "get", "--country", "NL", "--item", "flyer_ss_a5_fc,pageblock_80off=1")
    assert result.code == 5
    assert "option_unknown: pageblock_80off" in result.err


# --- hashes ---------------------------------------------------------------------------------


def test_a_quote_orders_and_is_known_by_its_hash_until_it_expires(
    shop_world: World, shop: Sandbox, inside: Inside, write: Write
) -> None:
    result = inside(shop_world, "quote", "get", write(ORDER), "--cheapest", "-o", "value")
    assert (result.code, len(result.out.split())) == (0, 1)
    quote = result.out.strip()
    known = inside(shop_world, "quote", "info", quote, "-o", "json")
    assert (known.code, known.data["quote"]) == (0, quote)
    order = an_order("quoted")
    del order["items"][0]["shipping_level"]
    order["items"][0]["quote"] = quote
    assert inside(shop_world, "orders", "add", write(order)).code == 0

    shop.state.advance(49 * 3600)
    late = inside(shop_world, "orders", "add", write({**order, "reference": "late"}))
    assert (late.code, late.out) == (5, "")
    assert "Quote hash not found or expired" in late.err
    gone = inside(shop_world, "quote", "info", quote)
    assert gone.code == 9
    assert "cpctl quote get" in gone.err or "There is no quote" in gone.err


def test_an_answer_without_the_hash_means_that_there_is_no_such_quote(inside: Inside, at_url: AtUrl) -> None:
    with scripted({f"{CORE}orders/quote/info": Said(200, b"{}")}) as service:
        assert inside(at_url(service.url), "quote", "info", POSTAL).code == 9


def test_the_documents_offers_are_chosen_by_level(inside: Inside, at_url: AtUrl, write: Write) -> None:
    write(QUOTE)
    with scripted({f"{CORE}prices/lookup": Said(200, as_bytes(OFFERS))}) as service:
        world = at_url(service.url)
        for level, quote in (("cp_postal", POSTAL), ("cp_ground", GROUND), ("cp_fast", FAST)):
            assert inside(world, "quote", "price", "order.json", "--level", level, "-o", "value").out == f"{quote}\n"
        assert inside(world, "quote", "price", "order.json", "--cheapest", "-o", "value").out == f"{POSTAL}\n"
