"""Each value of a document is checked, and a typo gets a suggestion."""

import pytest

from cpctl.order_documents.checks import REORDER_CAUSES, SHIPPING_LEVELS
from cpctl.reference_data.countries import COUNTRIES, COUNTRIES_WITHOUT_ZIP, COUNTRY_ALIASES
from cpctl.reference_data.country_states import COUNTRIES_REQUIRING_STATE, STATES_BY_COUNTRY
from cpctl.reference_data.currencies import CURRENCIES, CURRENCY_ALIASES
from examples.core_requests import make_order, make_publish_order, make_quote
from examples.document_examples import (
    ADDRESS_PATH,
    FILE_PATH,
    ITEM_PATH,
    check_changed_order,
    check_order,
    check_order_to_country,
    check_publish_order,
    check_quote,
    error_paths,
    single_problem,
    warning_paths,
)
from examples.edits import replace_value


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("UK", 'Did you mean "GB" (United Kingdom)?'),
        ("de", 'Did you mean "DE" (Germany)?'),
        ("DE\n", 'Did you mean "DE" (Germany)?'),
        ("Germny", 'Did you mean "DE" (Germany)?'),
        ("holland", 'Did you mean "NL" (Netherlands)?'),
        ("XX", "Use two capital letters (ISO 3166-1): DE, GB, US."),
        ("nowhere at all", "Use two capital letters (ISO 3166-1): DE, GB, US."),
    ],
)
def test_a_country_is_two_letters_and_a_typo_gets_a_suggestion(value: str, hint: str) -> None:
    problem = single_problem(check_changed_order(f"{ADDRESS_PATH}.country", value))
    assert (problem.path, problem.is_warning) == (f"{ADDRESS_PATH}.country", False)
    assert "is not a country code" in problem.message
    assert problem.message.endswith(hint)


def test_every_country_passes_and_kosovo_is_a_warning() -> None:
    for country in COUNTRIES.keys() - {"US", "CA", "BR"}:
        assert check_order_to_country(country) == []
    assert warning_paths(check_order_to_country("XK")) == [f"{ADDRESS_PATH}.country"]
    assert error_paths(check_order_to_country("XK")) == []


def test_the_tables_agree_with_each_other() -> None:
    assert (len(COUNTRIES), len(COUNTRIES_WITHOUT_ZIP)) == (249, 65)
    assert COUNTRIES.keys() >= COUNTRIES_WITHOUT_ZIP
    assert COUNTRIES.keys() >= set(COUNTRY_ALIASES.values())
    assert not COUNTRIES.keys() & COUNTRY_ALIASES.keys()
    assert CURRENCIES.keys() >= set(CURRENCY_ALIASES.values())
    assert not CURRENCIES.keys() & CURRENCY_ALIASES.keys()
    assert COUNTRIES_REQUIRING_STATE == ("US", "CA")
    assert set(COUNTRIES_REQUIRING_STATE) <= STATES_BY_COUNTRY.keys() <= COUNTRIES.keys()
    assert (len(STATES_BY_COUNTRY["US"]), len(STATES_BY_COUNTRY["CA"])) == (63, 13)


def test_a_zip_is_required_where_the_country_has_one() -> None:
    assert error_paths(check_order_to_country("DE", zip=None)) == [f"{ADDRESS_PATH}.zip"]
    assert error_paths(check_order_to_country("IE", zip=None)) == []


@pytest.mark.parametrize(
    ("country", "required"),
    [("Ireland", []), ("UK", ["zip"]), ("USA", ["state", "zip"]), ("Brasil", ["customer_identification", "zip"])],
)
def test_a_misspelled_country_requires_the_fields_of_the_country_that_is_meant(
    country: str, required: list[str]
) -> None:
    found = error_paths(check_order_to_country(country, zip=None))
    assert sorted(found) == sorted(f"{ADDRESS_PATH}.{name}" for name in [*required, "country"])


@pytest.mark.parametrize(("country", "state", "other"), [("US", "FL", "ON"), ("CA", "ON", "FL")])
def test_us_and_ca_require_one_of_their_states(country: str, state: str, other: str) -> None:
    path = f"{ADDRESS_PATH}.state"
    assert check_order_to_country(country, state=state) == []
    assert single_problem(check_order_to_country(country)).path == path
    assert error_paths(check_order_to_country(country, state=other)) == [path]
    name = STATES_BY_COUNTRY[country][state]
    for written, hint in (
        (state.lower(), f'Did you mean "{state}" ({name})?'),
        (name, f'Did you mean "{state}" ({name})?'),
        ("??", f"`cpctl shipping states {country}` lists them."),
    ):
        assert single_problem(check_order_to_country(country, state=written)).message.endswith(hint)
    assert error_paths(check_quote({**make_quote(), "country": country})) == ["state"]
    assert check_quote({**make_quote(), "country": country, "state": state}) == []


def test_the_state_of_another_country_is_at_most_a_warning() -> None:
    assert check_order_to_country("AU", state="NSW") == []
    problem = single_problem(check_order_to_country("DE", state="Sachsen"))
    assert problem.is_warning
    assert problem.message == '"Sachsen" is not a state code. `cpctl shipping states DE` lists them.'


@pytest.mark.parametrize("email", ["a@b", "a@@b.de", "a b@c.de", "a@b..de", "@b.de", "x" * 250 + "@b.de"])
def test_an_invalid_email_address_is_an_error(email: str) -> None:
    problem = single_problem(check_changed_order("email", email))
    assert problem.path == "email"
    assert "is not an email address; write it like support@example.com." in problem.message


@pytest.mark.parametrize("email", ["a@b.de", "O'Brien+print@mail.example.co.uk", "jürgen@müller.example"])
def test_unusual_email_addresses_pass(email: str) -> None:
    assert check_changed_order("email", email) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a/b", "contains a slash"),
        ("a b", "contains a space"),
        (" a", "contains a space"),
        ("a\tb", "contains a control character"),
        ("x" * 121, "has 121 characters; at most 120 are allowed"),
        ("\ud800", "contains half of a surrogate pair"),
    ],
)
def test_a_reference_is_safe_in_urls_and_lists(value: str, message: str) -> None:
    for path in ("reference", f"{ITEM_PATH}.reference"):
        problem = single_problem(check_changed_order(path, value))
        assert (problem.path, problem.is_warning, message in problem.message) == (path, False, True)


def test_a_reference_may_have_any_script_and_120_characters() -> None:
    for value in ("x" * 120, "Größe-7", "注文1", "a.b:c#1"):
        assert check_changed_order("reference", value) == []


def test_a_publish_order_has_the_documented_lengths_of_references() -> None:
    for name in ("catalog_reference", "isbn"):
        path = f"items[1].{name}"
        assert check_publish_order(replace_value(make_publish_order(), path, "x" * 128)) == []
        assert single_problem(check_publish_order(replace_value(make_publish_order(), path, "x" * 129))).path == path
    assert check_publish_order(replace_value(make_publish_order(), "order_reference", "x" * 500)) == []


def test_an_unknown_shipping_level_is_a_warning_with_a_suggestion() -> None:
    for level in SHIPPING_LEVELS:
        assert check_changed_order(f"{ITEM_PATH}.shipping_level", level) == []
    problem = single_problem(check_changed_order(f"{ITEM_PATH}.shipping_level", "cp_grond"))
    assert problem.is_warning
    assert problem.message == '"cp_grond" is not a known shipping level. Did you mean "cp_ground"?'


@pytest.mark.parametrize("quote", ["abc", "0" * 65, "g" * 64])
def test_a_quote_is_64_hexadecimal_digits(quote: str) -> None:
    order = replace_value(make_order(), f"{ITEM_PATH}.shipping_level")
    order["items"][0]["quote"] = quote
    assert single_problem(check_order(order)).path == f"{ITEM_PATH}.quote"


@pytest.mark.parametrize("count", [0, -1, 1.5, 5.0, "0", "1,5", "five", "5 ", "٥", "00", "1e3", "+5"])
def test_a_count_that_is_not_a_positive_whole_number_is_an_error(count: object) -> None:
    problem = single_problem(check_changed_order(f"{ITEM_PATH}.count", count))
    assert (problem.path, problem.message) == (
        f"{ITEM_PATH}.count",
        f'"{count}" must be a whole number, 1 or more.',
    )


@pytest.mark.parametrize("count", [1, 10**9, "007", "10"])
def test_a_count_may_be_text_or_a_number(count: object) -> None:
    assert check_changed_order(f"{ITEM_PATH}.count", count) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.com/a.pdf", "is not encrypted"),
        ("HTTP://example.com/a.pdf", "is not encrypted"),
        ("ftp://example.com/a.pdf", "is not an https:// URL"),
        ("a.pdf", "is not an https:// URL"),
        ("https:///a.pdf", "is not an https:// URL"),
        ("https://example.com/my file.pdf", "is not an https:// URL"),
    ],
)
def test_a_file_has_an_https_url(url: str, message: str) -> None:
    problem = single_problem(check_changed_order(f"{FILE_PATH}.url", url))
    assert (problem.path, problem.is_warning, message in problem.message) == (f"{FILE_PATH}.url", False, True)


@pytest.mark.parametrize("url", ["HTTPS://example.com/", "https://example.com", "https://h:8443/a?k=1&x=%20#p"])
def test_unusual_urls_pass(url: str) -> None:
    assert check_changed_order(f"{FILE_PATH}.url", url) == []


@pytest.mark.parametrize("md5sum", ["g" * 32, "a" * 33, 12])
def test_an_md5_sum_is_32_hexadecimal_digits(md5sum: object) -> None:
    assert single_problem(check_changed_order(f"{FILE_PATH}.md5sum", md5sum)).path == f"{FILE_PATH}.md5sum"
    assert check_changed_order(f"{FILE_PATH}.md5sum", "4578C3ECF64E47581B175D542F8B0160") == []


@pytest.mark.parametrize("price", ["12,50", 12])
def test_a_price_has_a_comma(price: object) -> None:
    publish_order = replace_value(make_publish_order(), "custome_price", price)
    assert check_changed_order("price", price) == []
    assert check_publish_order(replace_value(publish_order, "items[0].customs_price", price)) == []


@pytest.mark.parametrize("price", ["12.50", 12.5, "1.234,50", "12 EUR", "-1", ",5"])
def test_a_price_with_a_point_is_a_warning_and_any_other_price_an_error(price: object) -> None:
    for path in ("price", f"{ITEM_PATH}.price"):
        problem = single_problem(check_changed_order(path, price))
        assert (problem.path, problem.is_warning) == (path, price in ("12.50", 12.5))
    assert '"12,50"' in problem.message or '"12,5"' in problem.message


@pytest.mark.parametrize(
    ("currency", "hint"),
    [("Euro", '"EUR" (Euro)?'), ("eur", 'Did you mean "EUR" (Euro)?'), ("$", '"USD" (US dollar)?'), ("XYZ", "USD.")],
)
def test_a_currency_is_three_letters_and_a_typo_gets_a_suggestion(currency: str, hint: str) -> None:
    problem = single_problem(check_changed_order(f"{ITEM_PATH}.currency", currency))
    assert (problem.path, problem.is_warning) == (f"{ITEM_PATH}.currency", False)
    assert problem.message.endswith(hint)


def test_every_currency_passes() -> None:
    for code in CURRENCIES:
        assert check_quote({**make_quote(), "currency": code}) == []


def test_an_unknown_cause_of_a_reorder_is_a_warning() -> None:
    reorder = {"reorder_order_reference": "1", "reorder_item_reference": "2"}
    for cause in (*REORDER_CAUSES, "reorder_because"):
        item = {**make_order()["items"][0], **reorder, "reorder_cause": cause}
        found = check_order({**make_order(), "items": [item]})
        assert error_paths(found) == []
        assert warning_paths(found) == ([] if cause in REORDER_CAUSES else [f"{ITEM_PATH}.reorder_cause"])


@pytest.mark.parametrize("cpf", ["529.982.247-25", 52998224725, "000.000.001-91"])
def test_brazil_accepts_a_cpf(cpf: object) -> None:
    assert check_order_to_country("BR", customer_identification=cpf) == []


@pytest.mark.parametrize(
    "cpf",
    [None, "529.982.247-26", "52998224715", "5299822472", "111.111.111-11", "529.98224725", "５２９９８２２４７２５"],
)
def test_brazil_refuses_an_invalid_cpf(cpf: str | None) -> None:
    path = f"{ADDRESS_PATH}.customer_identification"
    assert error_paths(check_order_to_country("BR", customer_identification=cpf)) == [path]
    assert check_order_to_country("DE", customer_identification=cpf) == []


def test_a_line_break_in_a_street_is_a_warning_and_in_a_description_is_fine() -> None:
    street = f"{ADDRESS_PATH}.street1"
    assert warning_paths(check_changed_order(street, "Example street\n")) == [street]
    reorder = {"reorder_order_reference": "1", "reorder_item_reference": "2", "reorder_desc": "two\nlines"}
    assert check_order({**make_order(), "items": [make_order()["items"][0] | reorder]}) == []
