"""What a single value must look like: each check takes the text of a value and says what is wrong with it."""

import re
from collections.abc import Callable, Collection, Mapping

from cpctl.errors import find_closest, suggest
from cpctl.order_documents.problems import Problem, make_error, make_warning, quote_value
from cpctl.reference_data import countries, currencies

Check = Callable[[str], Problem | None]

# Source: CloudCore 1.0, "Add order"; cp_limited is offered by live quotes, without being documented.
SHIPPING_LEVELS = ("cp_postal", "cp_ground", "cp_saver", "cp_fast", "cp_limited")
# Source: CloudCore 1.0, "Add order"; box is the file of a printed puzzle box.
ITEM_FILE_TYPES = ("product", "cover", "book", "box")
ORDER_FILE_TYPES = ("delivery_note", "promotion")
# Source: Cloudprinter "Reorders", and what clients send; the list may be incomplete.
REORDER_CAUSES = (
    "reorder_shipping_item_not_received",
    "reorder_shipping_item_damaged",
    "reorder_item_missing",
    "reorder_wrong_item",
    "reorder_wrong_quantity",
    "reorder_wrong_paper_or_material",
    "reorder_wrong_finishing_size",
    "reorder_wrong_color_mode",
    "reorder_wrong_print_position",
    "reorder_print_quality",
)

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_URL = re.compile(r"https://[^\s/?#]+\S*", re.IGNORECASE)
_MAX_EMAIL_LENGTH = 254


def check_text(text: str) -> Problem | None:
    """Any text, of one line or of several."""
    return (
        make_error(f"{quote_value(text)} holds what is no text (half a surrogate pair).")
        if _SURROGATE.search(text)
        else None
    )


def check_line(text: str) -> Problem | None:
    """A text that is printed on one line, such as a street."""
    if _CONTROL_CHARACTER.search(text):
        return make_warning(f"{quote_value(text)} holds a line break or another control character.")
    return check_text(text)


def reference_check(max_length: int) -> Check:
    """A reference that is chosen by the client."""

    def reference(text: str) -> Problem | None:
        if len(text) > max_length:
            return make_error(f"{quote_value(text)} has {len(text)} characters, more than {max_length}.")
        if _CONTROL_CHARACTER.search(text):
            return make_error(f"{quote_value(text)} holds a control character.")
        if re.search(r"\s", text):
            return make_error(f"{quote_value(text)} holds a blank.")
        return make_error(f"{quote_value(text)} holds a slash.") if "/" in text else check_text(text)

    return reference


class OneOf:
    """The check for one of a list of words; a list that may grow only warns."""

    def __init__(self, known: Collection[str], label: str, strict: bool) -> None:
        self.known = tuple(known)
        self.label = label
        self.strict = strict

    def __call__(self, text: str) -> Problem | None:
        """What is wrong with a text."""
        if text in self.known:
            return None
        message = f"{quote_value(text)} is no {self.label} that cpctl knows. {suggest(text, self.known, cutoff=0.6)}"
        return make_error(message) if self.strict else make_warning(message)


def one_of(known: Collection[str], label: str, *, strict: bool = False) -> Check:
    """One of a list of words; a list that may grow only warns."""
    return OneOf(known, label, strict)


def check_email(text: str) -> Problem | None:
    """An address for e-mail: one @, a domain with a dot."""
    if _EMAIL.fullmatch(text) and len(text) <= _MAX_EMAIL_LENGTH:
        return check_text(text)
    return make_error(f"{quote_value(text)} is no e-mail address, such as support@example.com.")


def check_phone(text: str) -> Problem | None:
    """Any way to write a phone number, as long as it has digits."""
    return check_line(text) if re.search(r"\d", text) else make_warning(f"{quote_value(text)} has no digit.")


def check_count(text: str) -> Problem | None:
    """How many: 1 or more, whole."""
    if re.fullmatch(r"[0-9]*[1-9][0-9]*", text):
        return None
    return make_error(f"{quote_value(text)} is no whole number of 1 or more.")


def check_price(text: str) -> Problem | None:
    """A price with a comma (CloudCore 1.0, "Add order": comma as decimal separator)."""
    if re.fullmatch(r"[0-9]+(,[0-9]+)?", text):
        return None
    if re.fullmatch(r"[0-9]+\.[0-9]+", text):
        return make_warning(f'{quote_value(text)} has a dot; the API asks for a comma: "{text.replace(".", ",")}".')
    return make_error(f'{quote_value(text)} is no price, such as "12,50".')


def check_quote_hash(text: str) -> Problem | None:
    """What a quote call gives for one offer: 64 hexadecimal digits."""
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return None
    return make_error(f"{quote_value(text)} is no quote hash of 64 hexadecimal digits, as `cpctl quote get` gives.")


def check_md5sum(text: str) -> Problem | None:
    """The MD5 sum of a file: 32 hexadecimal digits."""
    if re.fullmatch(r"[0-9A-Fa-f]{32}", text):
        return None
    return make_error(f"{quote_value(text)} is no MD5 sum of 32 hexadecimal digits; give `path` and cpctl computes it.")


def check_url(text: str) -> Problem | None:
    """Where Cloudprinter fetches a file, after it has accepted the order."""
    if _URL.fullmatch(text):
        return None
    if text[:7].lower() == "http://":
        return make_error(f"{quote_value(text)} is not encrypted; Cloudprinter fetches files with https://.")
    return make_error(f"{quote_value(text)} is no https:// URL from which Cloudprinter can fetch the file.")


def check_option(text: str) -> Problem | None:
    """The reference of an option. `type` is the family in products/info, and the reference in a request."""
    if text.startswith("type_"):
        return make_error(
            f'{quote_value(text)} is a family of options; name the option, such as "paper_130mcg": what '
            f"`cpctl products info` shows as its reference."
        )
    return check_line(text)


def check_country(text: str) -> Problem | None:
    """A country (ISO 3166-1 alpha-2)."""
    if text in countries.COUNTRIES:
        return None
    if text in countries.UNOFFICIAL_COUNTRIES:
        return make_warning(f"{quote_value(text)} ({countries.UNOFFICIAL_COUNTRIES[text]}) is not in ISO 3166-1.")
    code = suggest_code(text, countries.COUNTRIES, countries.COUNTRY_ALIASES)
    hint = did_you_mean_hint(code, countries.COUNTRIES, "Two capital letters, ISO 3166-1: DE, GB, US.")
    return make_error(f"{quote_value(text)} is no country code. {hint}")


def check_currency(text: str) -> Problem | None:
    """A currency (ISO 4217)."""
    if text in currencies.CURRENCIES:
        return None
    code = suggest_code(text, currencies.CURRENCIES, currencies.CURRENCY_ALIASES)
    hint = did_you_mean_hint(code, currencies.CURRENCIES, "Three capital letters, ISO 4217: EUR, GBP, USD.")
    return make_error(f"{quote_value(text)} is no currency code. {hint}")


def suggest_code(text: str, names: Mapping[str, str], aliases: Mapping[str, str]) -> str:
    """The code somebody meant who wrote a name, a sign, or the code in another case; empty if none."""
    written = text.strip()
    codes = {name.lower(): code for code, name in names.items()} | {
        name.lower(): code for name, code in aliases.items()
    }
    if written.upper() in names:
        return written.upper()
    # Codes are too short to be alike by chance: AX is no slip for AD.
    name = written.lower() if written.lower() in codes else find_closest(written, codes) if len(written) > 3 else ""
    return codes.get(name, "")


def did_you_mean_hint(code: str, names: Mapping[str, str], otherwise: str) -> str:
    """A hint that names a code and what it stands for."""
    return f'Did you mean "{code}" ({names[code]})?' if code else otherwise


# What the checks want, in words; the others take any text.
_CHECK_DESCRIPTIONS: dict[Check, str] = {
    check_email: "e-mail address",
    check_phone: "phone number",
    check_count: "whole number",
    check_price: "price, with a comma",
    check_quote_hash: "64 hexadecimal digits",
    check_md5sum: "32 hexadecimal digits",
    check_url: "https URL",
    check_country: "country code",
    check_currency: "currency code",
}


def describe_check(check: Check) -> str:
    """What a value has to be, in words: `whole number`, or the words it can be."""
    return f"one of {', '.join(check.known)}" if isinstance(check, OneOf) else _CHECK_DESCRIPTIONS.get(check, "text")
