"""Invalid orders, catalogs, titles and paths: each is named, and nothing is sent."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.core_requests import CORE_PATH, ORDER, PUBLISH_ORDER
from examples.edits import replace_value
from harness.cli_environment import CliEnvironment, CliResult

Invoke = Callable[..., CliResult]
WriteDocument = Callable[..., str]


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\n# nothing\n", "is empty"),
    "a list": (b"- reference: a\n- reference: b\n", "this is a list"),
    "a list of JSON": (b'[{"reference": "a"}]', "this is a list"),
    "a word": (b"order\n", "this is a single value"),
    "not YAML": (b"reference: a\n\titems: []\n", "line 2"),
    "not JSON": (b'{"reference": "a",}', "Remove the comma"),
    "a field twice in JSON": (b'{"reference": "a", "reference": "b"}', "is given twice"),
    "a field twice in YAML": (b"reference: a\nemail: b\nreference: c\n", "line 3"),
    "not text": (b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "not UTF-8"),
    "UTF-16": ("reference: a".encode("utf-16"), "UTF-16"),
    "two documents": (b"reference: a\n---\nreference: b\n", "second document"),
    "a tag that would run code": (b"reference: !!python/object/apply:os.system [id]\n", "tag"),
    "aliases that grow without end": (
        b"a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (n, n, b", ".join([b"*%c" % (n - 1)] * 10)) for n in range(98, 105)),
        "grows beyond",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=list(BAD_FILES))
def test_a_file_that_is_not_an_order_is_refused_with_the_position(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, content: bytes, message: str
) -> None:
    write_document(content, "order.yaml")
    for arguments in (["orders", "add"], ["orders", "add", "--check"], ["quote", "get"]):
        result = invoke(cli, *arguments, "order.yaml")
        assert (result.code, result.out) == (2, "")
        assert "order.yaml" in result.err
        assert message in result.err
    assert sandbox.state.journal.list_entries() == []


def test_a_file_of_more_than_50_megabytes_is_refused(cli: CliEnvironment, invoke: Invoke) -> None:
    with (cli.folder / "order.yaml").open("wb") as file:
        file.truncate(50_000_001)
    for name in ("order.yaml", "/dev/zero"):
        result = invoke(cli, "orders", "add", name)
        assert result.code == 2
        assert f"{name} is larger than 50 MB" in result.err


def test_an_unreadable_file_is_named(cli: CliEnvironment, invoke: Invoke) -> None:
    for name in ("nowhere.yaml", "."):
        result = invoke(cli, "orders", "add", name)
        assert result.code == 2
        assert f"{name} cannot be read" in result.err


BAD_VALUES = [
    ("addresses.0.country", "UK", 'Did you mean "GB" (United Kingdom)?'),
    ("addresses.0.country", "Germany", 'Did you mean "DE"'),
    ("addresses.0.email", "nobody", "is not an email address"),
    ("addresses.0.type", "billing", "is not a known address type"),
    ("currency", "Euro", 'Did you mean "EUR"'),
    ("price", "12.50.1", "is not a price"),
    ("items.0.count", 0, "must be a whole number, 1 or more"),
    ("items.0.count", "many", "must be a whole number, 1 or more"),
    ("items.0.files.0.md5sum", "4578c3ecf64e47581b175d542f8b016", "is not an MD5 sum"),
    ("items.0.files.0.url", "http://example.com/a.pdf", "is not encrypted"),
    ("items.0.files.0.url", "/home/me/cover.pdf", "is not an https:// URL"),
    ("items.0.options.0.type", "type_book_paper", "is a family of options"),
    ("items.0.quote", "abc", "is not a quote hash"),
    ("reference", "a/b", "contains a slash"),
    ("reference", "a b", "contains a space"),
    ("reference", "x" * 121, "has 121 characters"),
    ("items.0.reference", "a/b", "contains a slash"),
    ("apikey", API_KEYS["core"], "the key comes from the profile"),
]


@pytest.mark.parametrize(
    ("place", "value", "message"), BAD_VALUES, ids=[f"{place} {value}"[:40] for place, value, _ in BAD_VALUES]
)
def test_a_wrong_value_is_named_with_its_path(
    cli: CliEnvironment,
    invoke: Invoke,
    sandbox: Sandbox,
    write_document: WriteDocument,
    place: str,
    value: Any,
    message: str,
) -> None:
    result = invoke(cli, "orders", "add", write_document(replace_value(ORDER, place, value)))
    assert (result.code, result.out) == (2, "")
    path = place.replace(".0", "[0]")
    assert f"  {path}: " in result.err
    assert message in result.err
    assert API_KEYS["core"] not in result.err
    assert sandbox.state.journal.list_entries() == []


# --- catalogs and titles --------------------------------------------------------------------

MAX_LENGTHS = [("reference", 128), ("name", 64), ("note", 256)]


@pytest.mark.parametrize(("field", "limit"), MAX_LENGTHS)
@pytest.mark.parametrize("resource", ["catalogs", "titles"])
def test_texts_are_limited_to_the_documented_lengths(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, resource: str, field: str, limit: int
) -> None:
    def add(length: int) -> CliResult:
        fields = {"reference": "new", "name": "a", "note": "b", field: "ü" * length}
        return invoke(cli, resource, "add", fields["reference"], "--name", fields["name"], "--note", fields["note"])

    for length in (limit + 1, 0):
        result = add(length)
        assert result.code == 2
        assert (
            "is empty" if not length else f"{limit + 1} characters; CloudPublish accepts at most {limit}."
        ) in result.err
    assert sandbox.state.journal.list_entries() == []
    assert add(limit).code == 0


def test_a_title_can_be_ordered_only_from_its_catalog(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    for place, value, message in (
        ("items.0.isbn", "9780306406157", "isbn_unknown: 9780306406157"),
        ("items.0.isbn", "0000000000000", "isbn_unknown: 0000000000000"),
        ("items.0.catalog_reference", "nothing", "catalog_unknown: nothing"),
    ):
        order = replace_value(PUBLISH_ORDER, place, value)
        result = invoke(cli, "orders", "add", write_document(order), "--api", "publish")
        assert (result.code, result.out) == (5, "")
        assert message in result.err


def test_an_unknown_catalog_has_no_titles(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "titles", "list", "nothing", "-o", "json").data == []


def test_each_api_finds_the_orders_of_the_other_only_by_info(
    dialect_cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    assert invoke(dialect_cli, "orders", "add", write_document(PUBLISH_ORDER), "--api", "publish").code == 0
    for verb in ("log", "cancel"):
        yes = ["--yes"] if verb == "cancel" else []
        result = invoke(dialect_cli, "orders", verb, "order-1", *yes, "--api", "publish")
        assert (result.code, 'There is no order "order-1".' in result.err) == (9, True)
    # The documents put both at one address, which answers for either.
    for reference, more in (("200012345", []), ("order-1", ["--api", "publish"])):
        for output in ("json", "tsv"):
            result = invoke(dialect_cli, "orders", "info", reference, *more, "-o", output)
            assert (result.code, reference in result.out) == (0, True)
    log = invoke(dialect_cli, "orders", "log", "200012345", "-o", "json")
    assert [entry["state_code"] for entry in log.data] == ["order_state_new"]


# --- any path -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", " ", "a b", "a\tb", "https://example.com/", "ftp://x", "a\x1bb"])
def test_an_invalid_path_is_refused(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, path: str) -> None:
    result = invoke(cli, "api", path)
    assert result.code == 2
    assert "is not a path" in result.err
    assert sandbox.state.journal.list_entries() == []


def test_an_unknown_service_gets_a_suggestion(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "api", "orders/", "--service", "cor")
    assert result.code == 2
    assert 'Did you mean "core"?' in result.err


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"null", b'{"apikey": "x"}', b"\xff", b"[" * 100_000])
def test_an_input_that_is_not_an_object_is_refused(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, content: bytes
) -> None:
    result = invoke(cli, "api", "orders/info", "--input", write_document(content, "body.json"))
    assert (result.code, result.out) == (2, "")
    assert "body.json" in result.err
    assert sandbox.state.journal.list_entries() == []


def test_an_invalid_extra_field_is_refused(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    for fields in (["reference"], ["=x"], ["a=1", "-f", "a=2"], ["apikey=x"]):
        assert invoke(cli, "api", "orders/info", "-f", *fields).code == 2
    assert sandbox.state.journal.list_entries() == []


def test_any_path_is_called_with_the_key_of_its_service(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    item = json.dumps({"type": "ItemPacked", "order": "123456780000", "item": "123456780001"})
    (cli.folder / "body.json").write_text(item)
    for arguments, path in (
        (["orders/info", "-f", "reference=order-1"], f"{CORE_PATH}orders/info"),
        (["catalogs", "--service", "publish"], "/cloudpublish/1.0/catalogs"),
        (["/cloudpublish/1.0/products/mixes"], "/cloudpublish/1.0/products/mixes"),
        (["status/", "--service", "signal"], "/cloudsignal/2.0/status/"),
        (["/1.1/status/"], "/1.1/status/"),
    ):
        more = ["--input", "body.json", "-f", "datetime=2016-01-20 13:00:00 GMT"] if "status" in path else []
        result = invoke(cli, "api", *arguments, *more, "-o", "json")
        assert result.code == 0, result.err
        entry = sandbox.state.journal.list_entries()[-1]
        assert (entry["path"], entry["status"]) == (path, 200)


def test_the_response_of_any_path_is_shown_unchanged(cli: CliEnvironment, invoke: Invoke) -> None:
    found = invoke(cli, "api", "/cloudpublish/1.0/catalogs", "-o", "json").data
    assert [each["catalog_reference"] for each in found["catalogs"]] == ["catalog_1", "catalog_2"]
    assert invoke(cli, "api", "orders/info", "-f", "reference=order-1", "--query", "state", "-o", "value").out == "45\n"
    empty = invoke(cli, "api", "/cloudpublish/1.0/orders", "-o", "json")
    assert (empty.code, empty.data) == (0, [])
    assert "returned no content" in empty.err
    assert invoke(cli, "api", "orders/info", "-f", "reference=nobody").code == 9
    assert invoke(cli, "api", "nothing/here").code == 5
