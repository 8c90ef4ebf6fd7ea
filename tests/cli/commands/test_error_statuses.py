"""Every documented status of an endpoint, and every form of an error body: exit status and message."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cpctl.api.endpoints import ENDPOINTS, Effect
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.call_examples import (
    EXAMPLES,
    MISSING_PARAMETER_BODY,
    MISSPELLED_COUNTER_BODY,
    change_counter,
    encode_body,
)
from examples.core_requests import CORE_PATH, ORDER, PUBLISH_ORDER, PUBLISH_PATH
from harness.cli_environment import CliEnvironment, CliResult
from harness.servers.scripted_server import ScriptedResponse, scripted_server

Invoke = Callable[..., CliResult]
MakeCli = Callable[[str], CliEnvironment]
WriteDocument = Callable[..., str]

# The tables "HTTP status codes" of both documents, without 200 and 201. `orders/quote/info` is not in them: its row is
# what the official libraries expect; the row of `prices/lookup` is that of quotes.
DOCUMENTED_STATUSES: dict[str, str] = {
    "orders": "204 400 403",
    "orders/info": "400 410",
    "orders/add": "400",
    "orders/cancel": "400 403 409 410",
    "orders/log": "204 400",
    "orders/quote": "400",
    "prices/lookup": "400",
    "orders/quote/info": "204 400",
    "products": "204 400 403",
    "products/info": "204 400",
    "shipping/levels": "400 403",
    "shipping/countries": "400",
    "shipping/states": "400",
    "catalogs": "400 403",
    "catalogs/info": "204 400 403",
    "catalogs/add": "400 403 409",
    "catalogs/remove": "400 403 410",
    "titles": "400 403",
    "titles/info": "204 400 403",
    "titles/add": "400 403 409",
    "titles/remove": "400 403 410",
    "products/mixes": "400 403",
    "products/mixes/info": "204 400 403",
    "publish/orders": "204 400 403",
    "publish/orders/info": "204 400 403",
    "publish/orders/add": "400",
    "publish/orders/cancel": "400 403 409 410",
    "publish/orders/log": "204 400",
}
EXIT_STATUSES = {400: 5, 403: 4, 409: 6, 410: 9, 204: 9}
LIST_ENDPOINTS = ("orders", "products", "publish/orders")
CASES = [(name, int(status)) for name, statuses in DOCUMENTED_STATUSES.items() for status in statuses.split()]
CORE_ERROR = {"error": {"type": "missing_required_parameter", "info": "phone"}}


def error_body(name: str, status: int) -> bytes:
    """The body of a status, as in the documents and in live responses."""
    counts = ENDPOINTS[name].counter
    if status == 204:
        return b""
    if counts and status in (409, 410):
        return encode_body(change_counter(*counts, 0))
    return encode_body(MISSING_PARAMETER_BODY if name.startswith(("publish", "catalogs", "titles")) else CORE_ERROR)


def test_every_endpoint_has_documented_statuses() -> None:
    assert set(DOCUMENTED_STATUSES) == set(EXAMPLES)


@pytest.mark.parametrize(("name", "status"), CASES, ids=[f"{name} {status}" for name, status in CASES])
def test_a_documented_status_has_its_exit_status_and_message(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, name: str, status: int
) -> None:
    example = EXAMPLES[name]
    if example.document:
        write_document(example.document)
    with scripted_server({example.path: ScriptedResponse(status, error_body(name, status))}) as service:
        result = invoke(make_cli(service.url), *example.arguments, "-o", "json")
    assert len(service.requests) == 1
    if status == 204 and name in LIST_ENDPOINTS:
        assert (result.code, result.data) == (0, [])
        return
    assert result.code == EXIT_STATUSES[status], result.err
    assert result.out == ""
    assert (result.error["exit_code"], result.error["http_status"]) == (EXIT_STATUSES[status], status)
    assert result.error["retryable"] is False
    if status in (400, 403):
        assert "missing_required_parameter" in result.error["message"]
        assert name in result.error["message"]
    if status == 403:
        assert "cpctl whoami" in result.error["hint"]
    if status in (204, 410):
        assert result.error["message"].startswith("There is no ")
    if status == 409:
        assert "cannot be canceled" in result.error["message"] or "already exists" in result.error["message"]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if ENDPOINTS[name].allows_empty])
def test_an_empty_list_is_a_success(invoke: Invoke, make_cli: MakeCli, name: str) -> None:
    example = EXAMPLES[name]
    empty = encode_body({example.result_key: []}) if example.result_key else b"[]"
    for response in (ScriptedResponse(204), ScriptedResponse(200, empty)):
        with scripted_server({example.path: response}) as service:
            cli = make_cli(service.url)
            shown = {
                output: invoke(cli, *example.arguments, "-o", output) for output in ("json", "jsonl", "tsv", "table")
            }
        assert {result.code for result in shown.values()} == {0}
        assert shown["json"].data == []
        assert shown["jsonl"].out == ""
        assert len(shown["tsv"].out.splitlines()) == 1
        assert shown["table"].out == ""


# A read, a change, a document, and a call of CloudPublish.
SAMPLE_ENDPOINTS = ("orders/info", "orders/cancel", "orders/add", "catalogs/add")


@pytest.mark.parametrize("name", SAMPLE_ENDPOINTS)
def test_a_server_error_is_a_temporary_failure(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, name: str
) -> None:
    example = EXAMPLES[name]
    if example.document:
        write_document(example.document)
    with scripted_server({example.path: ScriptedResponse(502, b"<html><title>Bad gateway</title></html>")}) as service:
        result = invoke(make_cli(service.url), *example.arguments, "--timeout", "0.2", "-o", "json")
    assert (result.code, result.error["retryable"]) == (75, True)
    assert "502" in result.error["message"]
    assert "Bad gateway" in result.error["message"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_only_the_core_key_is_sent_to_core_and_publish(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, name: str
) -> None:
    example = EXAMPLES[name]
    if example.document:
        write_document(example.document)
    with scripted_server({example.path: ScriptedResponse(example.status, encode_body(example.response))}) as service:
        invoke(make_cli(service.url), *example.arguments)
    (request,) = service.requests
    assert request.body["apikey"] == API_KEYS["core"]
    assert not [key for key in API_KEYS.values() if key in json.dumps(request.headers)]
    assert API_KEYS["signal"] not in json.dumps(request.body)


@pytest.mark.parametrize("name", SAMPLE_ENDPOINTS)
def test_a_wrong_key_is_refused_by_every_endpoint(
    dialect_cli: CliEnvironment, dialect_sandbox: Sandbox, invoke: Invoke, write_document: WriteDocument, name: str
) -> None:
    example = EXAMPLES[name]
    if example.document:
        write_document(example.document)
    wrong = "0123456789abcdef0123456789abcdef"
    result = invoke(dialect_cli, *example.arguments, CPCTL_CORE_KEY=wrong)
    assert (result.code, result.out) == (4, "")
    assert "authentication_failed: apikey is unknown" in result.err
    assert "whoami" in result.err
    assert wrong not in result.err
    assert len(dialect_sandbox.state.journal.list_entries()) == 1


# --- the sandbox, in both dialects ----------------------------------------------------------

NOT_FOUND_MESSAGES = [
    ("orders info nobody", 'There is no order "nobody".'),
    ("orders log nobody", 'There is no order "nobody".'),
    ("orders cancel nobody --yes", 'There is no order "nobody".'),
    ("products info book_of_sand", 'There is no product "book_of_sand".'),
    (f"quote info {'0' * 64}", "There is no quote"),
    ("catalogs info nothing", 'There is no catalog "nothing".'),
    ("catalogs remove nothing --yes", 'There is no catalog "nothing".'),
    ("titles info 000", 'There is no title "000".'),
    ("titles remove 000 --yes", 'There is no title "000".'),
    ("products mix nothing", 'There is no product mix "nothing".'),
    ("orders info nobody --api publish", 'There is no order "nobody".'),
    ("orders log nobody --api publish", 'There is no order "nobody".'),
    ("orders cancel nobody --yes --api publish", 'There is no order "nobody".'),
    ("orders wait nobody --for done", 'There is no order "nobody".'),
]


@pytest.mark.parametrize(("arguments", "message"), NOT_FOUND_MESSAGES, ids=[row[0] for row in NOT_FOUND_MESSAGES])
def test_a_missing_resource_is_named(dialect_cli: CliEnvironment, invoke: Invoke, arguments: str, message: str) -> None:
    result = invoke(dialect_cli, *arguments.split())
    assert (result.code, result.out) == (9, "")
    assert message in result.err


def test_an_order_in_production_cannot_be_canceled(dialect_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(dialect_cli, "orders", "cancel", "order-1", "--yes")
    assert result.code == 6
    assert 'The order "order-1" cannot be canceled in its current state.' in result.err


def test_an_existing_resource_is_a_conflict(
    dialect_cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    named = ("--name", "a", "--note", "b")
    catalog = invoke(dialect_cli, "catalogs", "add", "catalog_1", *named)
    assert (catalog.code, catalog.err) == (6, 'cpctl: The catalog "catalog_1" already exists.\n')
    title = invoke(dialect_cli, "titles", "add", "1234567890123", *named)
    assert (title.code, title.err) == (6, 'cpctl: The title "1234567890123" already exists.\n')
    order = invoke(dialect_cli, "orders", "add", write_document({**ORDER, "reference": "order-1"}))
    assert (order.code, order.err) == (6, 'cpctl: The order "order-1" already exists.\n')
    titles = invoke(
        dialect_cli,
        "orders",
        "add",
        write_document({**PUBLISH_ORDER, "order_reference": "order-1"}),
        "--api",
        "publish",
    )
    assert (titles.code, titles.err) == (6, 'cpctl: The order "order-1" already exists.\n')


def test_catalogs_and_titles_can_be_added_and_removed(dialect_cli: CliEnvironment, invoke: Invoke) -> None:
    named = ("--name", "Sprüche", "--note", "What comes in spring")
    added = invoke(dialect_cli, "catalogs", "add", "spring", *named, "-o", "json")
    assert (added.code, added.data) == (0, change_counter("catalogs", "added"))
    assert added.err == 'The catalog "spring" is added.\n'
    assert invoke(dialect_cli, "catalogs", "info", "spring", "-o", "json").data["name"] == "Sprüche"
    assert invoke(dialect_cli, "titles", "list", "spring", "-o", "json").data == []
    title = invoke(dialect_cli, "titles", "add", "0001", *named, "-f", "catalog_reference=spring")
    assert (title.code, title.err) == (0, 'The title "0001" is added.\n')
    found = invoke(dialect_cli, "titles", "list", "spring", "-o", "json").data
    assert [each["isbn"] for each in found] == ["0001"]
    assert invoke(dialect_cli, "titles", "remove", "0001", "--yes").code == 0
    removed = invoke(dialect_cli, "catalogs", "remove", "spring", "--yes")
    assert (removed.code, removed.err) == (0, 'The catalog "spring" is removed.\n')
    assert invoke(dialect_cli, "catalogs", "info", "spring").code == 9


def test_an_order_of_titles_can_be_added_shown_and_canceled(
    dialect_cli: CliEnvironment, dialect_sandbox: Sandbox, invoke: Invoke, write_document: WriteDocument
) -> None:
    publish = ("--api", "publish")
    assert invoke(dialect_cli, "orders", "list", *publish, "-o", "json").data == []
    added = invoke(dialect_cli, "orders", "add", write_document(PUBLISH_ORDER), *publish, "-o", "json")
    assert (added.code, added.data) == (0, {"order": "200012345"})
    (listed,) = invoke(dialect_cli, "orders", "list", *publish, "-o", "json").data
    assert (listed["order_reference"], listed["state_code"]) == ("200012345", "order_state_new")
    found = invoke(dialect_cli, "orders", "info", "200012345", *publish, "-o", "json").data
    assert [item["isbn"] for item in found["items"]] == ["1234567890123", "1234567890124"]
    log = invoke(dialect_cli, "orders", "log", "200012345", *publish, "-o", "json").data
    assert [entry["state_code"] for entry in log] == ["order_state_new"]
    canceled = invoke(dialect_cli, "orders", "cancel", "200012345", "--yes", *publish, "-o", "json")
    assert (canceled.code, canceled.data) == (0, change_counter("orders", "cancelled"))
    again = invoke(dialect_cli, "orders", "cancel", "200012345", "--yes", *publish)
    assert again.code == 6


# --- counters and messages ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [MISSPELLED_COUNTER_BODY, change_counter("catalogs", "added", 0)], ids=["radded", "added"]
)
@pytest.mark.parametrize("status", [200, 409])
def test_a_zero_counter_is_a_conflict_with_any_status(
    invoke: Invoke, make_cli: MakeCli, answer: Any, status: int
) -> None:
    example = EXAMPLES["catalogs/add"]
    with scripted_server({example.path: ScriptedResponse(status, encode_body(answer))}) as service:
        result = invoke(make_cli(service.url), *example.arguments)
    assert result.code == 6
    assert '"catalog_1"' in result.err
    assert "is added" not in result.err


@pytest.mark.parametrize("name", ["catalogs/add", "catalogs/remove", "titles/add", "titles/remove"])
def test_a_partial_change_is_a_conflict_with_its_counts(invoke: Invoke, make_cli: MakeCli, name: str) -> None:
    example = EXAMPLES[name]
    resources, verb = ENDPOINTS[name].counter or ("", "")
    with scripted_server(
        {example.path: ScriptedResponse(200, encode_body({"status": {resources: {verb: 2, "skipped": 1}}}))}
    ) as service:
        result = invoke(make_cli(service.url), *example.arguments, "-o", "json")
    assert result.code == 6
    assert result.data["status"][resources]["skipped"] == 1
    assert f"2 {verb}, 1 skipped" in result.err


@pytest.mark.parametrize("number", [None, "many", [], {}])
def test_an_unreadable_counter_leaves_the_result_unknown(invoke: Invoke, make_cli: MakeCli, number: Any) -> None:
    example = EXAMPLES["catalogs/add"]
    with scripted_server(
        {example.path: ScriptedResponse(200, encode_body({"status": {"catalogs": {"added": number}}}))}
    ) as service:
        result = invoke(make_cli(service.url), *example.arguments)
    assert (result.code, result.out) == (75, "")
    assert "The change may have been made" in result.err
    assert len(service.requests) == 1


READ_ENDPOINTS = [name for name, row in ENDPOINTS.items() if row.effect is Effect.READ]
UNEXPECTED_BODIES = [b"null", b'"x"', b"3", b"true", b"[1, 2]", b"[[]]", b'[{"a": 1}]', b'{"x": []}', b"", b"  "]


@pytest.mark.parametrize("name", READ_ENDPOINTS)
def test_an_unexpected_response_is_reported_and_never_a_bug(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, name: str
) -> None:
    example = EXAMPLES[name]
    if example.document:
        write_document(example.document)
    for body in UNEXPECTED_BODIES:
        with scripted_server({example.path: ScriptedResponse(200, body)}) as service:
            result = invoke(make_cli(service.url), *example.arguments)
        assert result.code in (0, 9, 75), (body, result.err)
        if isinstance(example.result, list):
            assert result.code == (
                0
                if body.startswith(b"[{") or (not body.strip() and ENDPOINTS[name].allows_empty)
                else 9
                if not body.strip()
                else 75
            ), body
        if result.code == 75:
            assert f"{name}: the answer (200) does not have the documented shape." in result.err
        if result.code:
            assert result.out == ""


@pytest.mark.parametrize("arguments", ["orders cancel 12346 --yes", "catalogs remove catalog_1 --yes"])
@pytest.mark.parametrize("kind", ["reset-before", "reset-after", "truncated", "invalid-json"])
def test_a_change_with_a_lost_response_is_reported_as_unknown(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, arguments: str, kind: str
) -> None:
    assert invoke(cli, "orders", "add", write_document(ORDER)).code == 0
    sandbox.add_fault(make_fault(kind, times=1))
    result = invoke(cli, *arguments.split())
    assert (result.code, result.out) == (75, "")
    assert "The change may have been made: check before you repeat it." in result.err
    assert len(sandbox.state.journal.list_entries()) == 2


def test_a_change_with_an_empty_response_is_done_and_shows_nothing(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument
) -> None:
    for name in ("orders/add", "orders/cancel", "catalogs/remove", "titles/add", "publish/orders/cancel"):
        example = EXAMPLES[name]
        if example.document:
            write_document(example.document)
        with scripted_server({example.path: ScriptedResponse(200)}) as service:
            for output in ("json", "tsv", "table"):
                result = invoke(make_cli(service.url), *example.arguments, "-o", output)
                assert (result.code, result.out) == (0, "")
                assert result.err.startswith(("The ", "Cancellation "))


ERROR_MESSAGES = {
    "type and info": (b'{"error": {"type": "option_unknown", "info": "paper_1"}}', "option_unknown: paper_1"),
    "publish": (encode_body(MISSING_PARAMETER_BODY), "missing_required_parameter: catalog_reference"),
    "plain text": (b"Requests limit reached", "Requests limit reached"),
    "html": (b"<html><head><title>403 Forbidden</title></head><body>x</body></html>", "403 Forbidden"),
    "error as text": (b'{"error": "no such option"}', "no such option"),
    "message": (b'{"message": "no such option"}', "no such option"),
    "list": (b'{"errors": ["one", "two"]}', "one, two"),
    "nothing": (b"", "the service refused the request (400)"),
    "php": (b"Warning: foreach() argument must be of type array|object", "foreach() argument"),
    "control characters": (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
}


@pytest.mark.parametrize(("body", "message"), ERROR_MESSAGES.values(), ids=list(ERROR_MESSAGES))
def test_the_message_of_the_service_is_shown(invoke: Invoke, make_cli: MakeCli, body: bytes, message: str) -> None:
    with scripted_server({f"{CORE_PATH}orders/info": ScriptedResponse(400, body)}) as service:
        result = invoke(make_cli(service.url), "orders", "info", "x")
    assert result.code == 5
    assert message in result.err
    assert len(result.err.splitlines()) <= 2


def test_an_unknown_path_points_to_the_base_url(invoke: Invoke, make_cli: MakeCli) -> None:
    with scripted_server({}) as service:
        result = invoke(make_cli(service.url), "catalogs", "list")
    assert result.code == 5
    assert "there is no such call at this address (404)" in result.err
    assert "base_url" in result.err
    assert service.requests[0].path == f"{PUBLISH_PATH}catalogs"
