"""Each value of a document has its form, and a slip gets a hint."""

import pytest

from cpctl.order_documents.checks import check_order, check_publish_order, check_quote
from cpctl.order_documents.value_checks import REORDER_CAUSES, SHIPPING_LEVELS
from cpctl.reference_data.countries import COUNTRIES, COUNTRIES_WITHOUT_ZIP
from cpctl.reference_data.countries import COUNTRY_ALIASES as MEANT_COUNTRIES
from cpctl.reference_data.country_states import COUNTRIES_REQUIRING_STATE, STATES_BY_COUNTRY
from cpctl.reference_data.currencies import CURRENCIES
from cpctl.reference_data.currencies import CURRENCY_ALIASES as MEANT_CURRENCIES
from examples.core_requests import make_order, make_publish_order, make_quote
from examples.document_examples import (
    ADDRESS_PATH,
    FILE_PATH,
    ITEM_PATH,
    check_changed_order,
    check_order_to_country,
    error_paths,
    single_problem,
    warning_paths,
)
from examples.edits import replace_value

QUOTE_ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("UK", '"GB" (United Kingdom)'),
        ("de", '"DE" (Germany)'),
        ("DE\n", '"DE" (Germany)'),
        ("Germany", '"DE" (Germany)'),
        ("Germny", '"DE" (Germany)'),
        ("USA", '"US" (United States)'),
        ("holland", '"NL" (Netherlands)'),
        ("XX", "ISO 3166-1"),
        ("49", "ISO 3166-1"),
        ("nowhere at all", "ISO 3166-1"),
    ],
)
def test_a_country_is_two_letters_and_a_slip_gets_a_hint(value: str, words: str) -> None:
    problem = single_problem(
        [each for each in check_changed_order(f"{ADDRESS_PATH}.country", value) if not each.path.endswith("state")]
    )
    assert problem.path == f"{ADDRESS_PATH}.country"
    assert not problem.is_warning
    assert words in problem.message


def test_every_country_of_the_table_passes_and_kosovo_is_a_warning() -> None:
    for country in COUNTRIES.keys() - {"US", "CA", "BR"}:
        assert check_order_to_country(country) == []
    assert warning_paths(check_order_to_country("XK")) == [f"{ADDRESS_PATH}.country"]
    assert error_paths(check_order_to_country("XK")) == []


def test_the_tables_agree_with_each_other() -> None:
    assert len(COUNTRIES) == 249
    assert len(COUNTRIES_WITHOUT_ZIP) == 65
    assert COUNTRIES.keys() >= COUNTRIES_WITHOUT_ZIP
    assert COUNTRIES.keys() >= set(MEANT_COUNTRIES.values())
    assert not COUNTRIES.keys() & MEANT_COUNTRIES.keys()
    assert CURRENCIES.keys() >= set(MEANT_CURRENCIES.values())
    assert not CURRENCIES.keys() & MEANT_CURRENCIES.keys()
    assert COUNTRIES_REQUIRING_STATE == ("US", "CA")
    assert set(COUNTRIES_REQUIRING_STATE) <= STATES_BY_COUNTRY.keys() <= COUNTRIES.keys()
    assert (len(STATES_BY_COUNTRY["US"]), len(STATES_BY_COUNTRY["CA"])) == (63, 13)


@pytest.mark.parametrize("country", sorted(COUNTRIES.keys() - {"US", "CA", "BR"}))
def test_a_zip_is_asked_for_where_there_is_one(country: str) -> None:
    expected = [] if country in COUNTRIES_WITHOUT_ZIP else [f"{ADDRESS_PATH}.zip"]
    assert error_paths(check_order_to_country(country, zip=None)) == expected


@pytest.mark.parametrize(
    ("country", "asked"),
    [("Ireland", []), ("ie", []), ("UK", ["zip"]), ("USA", ["state", "zip"]), ("Brasil", ["customer_identification"])],
)
def test_a_country_that_is_only_meant_asks_for_what_it_will_ask(country: str, asked: list[str]) -> None:
    zips = {} if asked == ["customer_identification"] else {"zip": None}
    assert sorted(error_paths(check_order_to_country(country, **zips))) == sorted(
        f"{ADDRESS_PATH}.{name}" for name in [*asked, "country"]
    )


@pytest.mark.parametrize(("country", "state", "other"), [("US", "FL", "ON"), ("CA", "ON", "FL")])
def test_us_and_ca_need_one_of_their_states(country: str, state: str, other: str) -> None:
    path = f"{ADDRESS_PATH}.state"
    assert check_order_to_country(country, state=state) == []
    assert single_problem(check_order_to_country(country)).path == path
    assert error_paths(check_order_to_country(country, state=other)) == [path]
    assert f'Did you mean "{state}"' in single_problem(check_order_to_country(country, state=state.lower())).message
    assert (
        f'Did you mean "{state}"'
        in single_problem(check_order_to_country(country, state=STATES_BY_COUNTRY[country][state])).message
    )
    assert f"cpctl shipping states {country}" in single_problem(check_order_to_country(country, state="??")).message
    assert error_paths(check_quote({**make_quote(), "country": country})) == ["state"]
    assert check_quote({**make_quote(), "country": country, "state": state}) == []


def test_the_state_of_another_country_is_at_most_a_warning() -> None:
    assert check_order_to_country("AU", state="NSW") == []
    problem = single_problem(check_order_to_country("DE", state="Sachsen"))
    assert problem.is_warning
    assert "cpctl shipping states DE" in problem.message


@pytest.mark.parametrize("email", ["a", "a@b", "a@@b.de", "a b@c.de", "a@b..de", "@b.de", "a@.de", "x" * 250 + "@b.de"])
def test_an_email_has_the_form_of_one(email: str) -> None:
    assert single_problem(check_changed_order("email", email)).path == "email"
    assert single_problem(check_changed_order(f"{ADDRESS_PATH}.email", email)).path == f"{ADDRESS_PATH}.email"


@pytest.mark.parametrize("email", ["a@b.de", "O'Brien+print@mail.example.co.uk", "jürgen@müller.example"])
def test_many_forms_of_email_pass(email: str) -> None:
    assert check_changed_order("email", email) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a/b", "slash"),
        ("a b", "blank"),
        (" a", "blank"),
        ("a\tb", "control"),
        ("a\x00", "control"),
        ("x" * 121, "121 characters, more than 120"),
        ("\ud800", "no text"),
    ],
)
def test_a_reference_can_be_a_name_in_urls_and_lists(value: str, words: str) -> None:
    for path in ("reference", f"{ITEM_PATH}.reference"):
        problem = single_problem(check_changed_order(path, value))
        assert (problem.path, problem.is_warning, words in problem.message) == (path, False, True)


def test_references_of_any_script_and_of_120_characters_pass() -> None:
    for value in ("x" * 120, "Größe-7", "注文1", "a.b:c#1"):
        assert check_changed_order("reference", value) == []


def test_the_references_of_titles_have_the_documented_length() -> None:
    for name in ("catalog_reference", "isbn"):
        assert check_publish_order(replace_value(make_publish_order(), f"items[1].{name}", "x" * 128)) == []
        problem = single_problem(
            check_publish_order(replace_value(make_publish_order(), f"items[1].{name}", "x" * 129))
        )
        assert problem.path == f"items[1].{name}"
    assert check_publish_order(replace_value(make_publish_order(), "order_reference", "x" * 500)) == []


def test_shipping_levels_are_known_and_another_one_is_a_warning() -> None:
    for level in SHIPPING_LEVELS:
        assert check_changed_order(f"{ITEM_PATH}.shipping_level", level) == []
    problem = single_problem(check_changed_order(f"{ITEM_PATH}.shipping_level", "cp_grond"))
    assert problem.is_warning
    assert 'Did you mean "cp_ground"?' in problem.message


@pytest.mark.parametrize("quote", ["abc", QUOTE_ID[1:], QUOTE_ID + "0", "g" * 64])
def test_a_quote_is_64_hexadecimal_digits(quote: str) -> None:
    order = replace_value(make_order(), f"{ITEM_PATH}.shipping_level")
    order["items"][0]["quote"] = quote
    assert single_problem(check_order(order)).path == f"{ITEM_PATH}.quote"


@pytest.mark.parametrize("count", [0, -1, 1.5, 5.0, "0", "-1", "1.5", "1,5", "five", "5 ", "٥", "00", "1e3", "+5"])
def test_a_count_is_whole_and_positive(count: object) -> None:
    for path in (f"{ITEM_PATH}.count", f"{ITEM_PATH}.options[0].count"):
        assert single_problem(check_changed_order(path, count)).path == path


@pytest.mark.parametrize("count", [1, "1", 10**9, "007", "10"])
def test_a_count_may_be_text_or_a_number(count: object) -> None:
    assert check_changed_order(f"{ITEM_PATH}.count", count) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/a.pdf", "not encrypted"),
        ("HTTP://example.com/a.pdf", "not encrypted"),
        ("ftp://example.com/a.pdf", "no https://"),
        ("file:///home/a.pdf", "no https://"),
        ("a.pdf", "no https://"),
        ("https://", "no https://"),
        ("https:///a.pdf", "no https://"),
        ("https://example.com/my file.pdf", "no https://"),
    ],
)
def test_a_file_is_fetched_with_https(url: str, words: str) -> None:
    problem = single_problem(check_changed_order(f"{FILE_PATH}.url", url))
    assert (problem.path, problem.is_warning, words in problem.message) == (f"{FILE_PATH}.url", False, True)


@pytest.mark.parametrize("url", ["HTTPS://example.com/", "https://example.com", "https://h:8443/a?k=1&x=%20#p"])
def test_many_forms_of_url_pass(url: str) -> None:
    assert check_changed_order(f"{FILE_PATH}.url", url) == []


@pytest.mark.parametrize("md5sum", ["4578c3ec", "g" * 32, "a" * 33, 12])
def test_an_md5_sum_is_32_hexadecimal_digits(md5sum: object) -> None:
    assert single_problem(check_changed_order(f"{FILE_PATH}.md5sum", md5sum)).path == f"{FILE_PATH}.md5sum"
    assert check_changed_order(f"{FILE_PATH}.md5sum", "4578C3ECF64E47581B175D542F8B0160") == []


@pytest.mark.parametrize(
    ("price", "verdict"),
    [
        ("12,50", None),
        ("12", None),
        (12, None),
        ("12.50", True),
        (12.5, True),
        ("1.234,50", False),
        ("12 EUR", False),
        ("-1", False),
        (",5", False),
    ],
)
def test_a_price_has_a_comma(price: object, verdict: bool | None) -> None:
    for path in ("price", f"{ITEM_PATH}.price"):
        found = check_changed_order(path, price)
        assert [(each.path, each.is_warning) for each in found] == ([] if verdict is None else [(path, verdict)])
    titles = replace_value(replace_value(make_publish_order(), "custome_price", price), "items[0].customs_price", price)
    assert len(check_publish_order(titles)) == (0 if verdict is None else 2)
    assert '"12,50"' in single_problem(check_changed_order("price", "12.50")).message


@pytest.mark.parametrize(
    ("currency", "words"),
    [("Euro", '"EUR"'), ("eur", '"EUR"'), ("€", '"EUR"'), ("$", '"USD"'), ("US dollar", '"USD"'), ("XYZ", "ISO 4217")],
)
def test_a_currency_is_three_letters_and_a_slip_gets_a_hint(currency: str, words: str) -> None:
    problem = single_problem(check_changed_order(f"{ITEM_PATH}.currency", currency))
    assert (problem.path, problem.is_warning, words in problem.message) == (f"{ITEM_PATH}.currency", False, True)
    assert single_problem(check_quote({**make_quote(), "currency": currency})).path == "currency"


def test_every_currency_of_the_table_passes() -> None:
    for code in CURRENCIES:
        assert check_quote({**make_quote(), "currency": code}) == []


def test_causes_of_reorders_are_known_and_another_one_is_a_warning() -> None:
    reorder = {"reorder_order_reference": "1", "reorder_item_reference": "2"}
    for cause in (*REORDER_CAUSES, "reorder_because"):
        item = {**make_order()["items"][0], **reorder, "reorder_cause": cause}
        found = check_order({**make_order(), "items": [item]})
        assert error_paths(found) == []
        assert warning_paths(found) == ([] if cause in REORDER_CAUSES else [f"{ITEM_PATH}.reorder_cause"])


@pytest.mark.parametrize("cpf", ["529.982.247-25", "52998224725", 52998224725, "111.444.777-35", "000.000.001-91"])
def test_brazil_takes_a_cpf(cpf: object) -> None:
    assert check_order_to_country("BR", customer_identification=cpf) == []


@pytest.mark.parametrize(
    "cpf",
    [
        "529.982.247-26",
        "52998224715",
        "5299822472",
        "529982247250",
        "111.111.111-11",
        "529-982-247.25",
        "529.98224725",
        "５２９９８２２４７２５",
        "abc",
    ],
)
def test_brazil_refuses_what_is_no_cpf(cpf: str) -> None:
    path = f"{ADDRESS_PATH}.customer_identification"
    assert error_paths(check_order_to_country("BR", customer_identification=cpf)) == [path]
    assert check_order_to_country("DE", customer_identification=cpf) == []


def test_brazil_asks_for_the_cpf() -> None:
    assert error_paths(check_order_to_country("BR")) == [f"{ADDRESS_PATH}.customer_identification"]


def test_a_line_break_in_a_street_is_a_warning_and_in_a_description_is_fine() -> None:
    assert warning_paths(check_changed_order(f"{ADDRESS_PATH}.street1", "Example street\n")) == [
        f"{ADDRESS_PATH}.street1"
    ]
    item = {"reorder_order_reference": "1", "reorder_item_reference": "2", "reorder_desc": "two\nlines"}
    assert check_order({**make_order(), "items": [make_order()["items"][0] | item]}) == []
