"""Orders are added from checked documents, sent once, and looked up when the answer is lost."""

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cpctl.cli.commands.orders import add
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.call_examples import ORDER_INFO, encode_body
from examples.core_requests import CORE_PATH, ORDER, PUBLISH_ORDER, make_order
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment, CliResult, sandbox_configuration
from harness.servers.scripted_server import ScriptedResponse, scripted_server

Invoke = Callable[..., CliResult]
MakeCli = Callable[[str], CliEnvironment]
WriteDocument = Callable[..., str]
ADD_PATH, INFO_PATH = f"{CORE_PATH}orders/add", f"{CORE_PATH}orders/info"


@pytest.fixture(autouse=True)
def short_lookup_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look up a lost order without long pauses."""
    monkeypatch.setattr(add, "LOOKUP_INTERVAL_SECONDS", 0.01)


def sent_bodies(sandbox: Sandbox, path: str = ADD_PATH) -> list[Any]:
    """The bodies that a path received."""
    return [entry["body"] for entry in sandbox.state.journal.list_entries() if entry["path"] == path]


def change_item(document: dict[str, Any], **item: Any) -> dict[str, Any]:
    """The order with other fields in its first item; None removes a field."""
    changed = copy.deepcopy(document)
    fields = {**changed["items"][0], **item}
    changed["items"][0] = {name: value for name, value in fields.items() if value is not None}
    return changed


# --- reading and sending --------------------------------------------------------------------


def test_an_order_is_added_from_json_yaml_and_standard_input(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox
) -> None:
    (cli.folder / "a.json").write_text(json.dumps(make_order("a")))
    (cli.folder / "b.yaml").write_text(yaml.safe_dump(make_order("b")))
    for file, reference in (("a.json", "a"), ("b.yaml", "b")):
        result = invoke(cli, "orders", "add", file, "-o", "json")
        assert (result.code, result.data) == (0, {"order": reference})
        assert result.err == f'The order "{reference}" was created.\n'
    for text, reference in ((json.dumps(make_order("c")), "c"), (yaml.safe_dump(make_order("d")), "d")):
        assert cli.run("orders", "add", "-", input=text).code == 0
        assert sandbox.state.orders.find(reference) is not None
    assert sent_bodies(sandbox) == [{"apikey": "***", **make_order(reference)} for reference in "abcd"]


def test_leading_zeros_in_yaml_are_sent(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    text = yaml.safe_dump(make_order("a")).replace("'99999'", "01067").replace("reference: a\n", "reference: 007\n")
    text = text.replace("phone: '12345678'", "phone: 0049")
    assert invoke(cli, "orders", "add", write_document(text, "o.yaml")).code == 0
    (body,) = sent_bodies(sandbox)
    assert (body["reference"], body["addresses"][0]["zip"], body["addresses"][0]["phone"]) == ("007", "01067", "0049")


def test_an_item_without_options_is_sent_with_an_empty_list(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    product = {"type": "product", "url": "https://files.example.com/f", "md5sum": "4" * 32}
    order = change_item(make_order("flyers"), options=None, product="flyer_ss_a5_fc", files=[product])
    assert invoke(cli, "orders", "add", write_document(order)).code == 0
    assert sent_bodies(sandbox)[0]["items"][0]["options"] == []


def test_a_local_file_is_sent_as_its_md5_sum_without_its_path(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, tmp_path: Path
) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / "book.pdf").write_bytes(b"%PDF-1.7 book")
    order = make_order("a")
    del order["items"][0]["files"][1]["md5sum"]
    order["items"][0]["files"][1]["path"] = "book.pdf"
    assert invoke(cli, "orders", "add", write_document(order, "jobs/order.json")).code == 0
    cover, book = sent_bodies(sandbox)[0]["items"][0]["files"]
    assert book == {
        "type": "book",
        "url": ORDER["items"][0]["files"][1]["url"],
        "md5sum": hashlib.md5(b"%PDF-1.7 book", usedforsecurity=False).hexdigest(),
    }
    assert cover == ORDER["items"][0]["files"][0]


@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_an_unreadable_or_empty_local_file_stops_the_order(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, content: bytes | None
) -> None:
    if content is not None:
        write_document(content, "book.pdf")
    order = make_order()
    del order["items"][0]["files"][1]["md5sum"]
    order["items"][0]["files"][1]["path"] = "book.pdf"
    result = invoke(cli, "orders", "add", write_document(order))
    assert result.code == 2
    assert "book.pdf" in result.err
    assert sent_bodies(sandbox) == []


def test_all_errors_are_reported_at_once_and_nothing_is_sent(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    order = change_item(make_order("a b"), count=0, product=None)
    del order["addresses"][0]["phone"]
    order["items"][0]["files"][0]["md5sum"] = "123"
    result = invoke(cli, "orders", "add", write_document(order))
    assert (result.code, result.out) == (2, "")
    first, *lines, last = result.err.splitlines()
    assert "order.json: 5 errors:" in first
    paths = ["reference", "addresses[0].phone", "items[0].count", "items[0].product", "items[0].files[0].md5sum"]
    assert sorted(line.split(": ")[0].strip() for line in lines) == sorted(paths)
    assert last.strip() == "Nothing was sent."
    assert sandbox.state.journal.list_entries() == []


def test_a_warning_does_not_stop_an_order(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    result = invoke(cli, "orders", "add", write_document(make_order("a", colour="blue")))
    assert result.code == 0
    assert "Warning: colour: is not a known field of an order" in result.err
    assert sent_bodies(sandbox)[0]["colour"] == "blue"


def test_a_dry_run_of_an_invalid_order_is_refused(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    assert invoke(cli, "orders", "add", write_document({}), "--dry-run").code == 2


def test_an_extra_field_is_sent_and_a_known_field_is_refused(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    write_document(make_order("a"))
    assert invoke(cli, "orders", "add", "order.json", "-f", "email=b@example.com").code == 2
    assert invoke(cli, "orders", "add", "order.json", "-f", "apikey=x").code == 2
    assert sent_bodies(sandbox) == []
    assert invoke(cli, "orders", "add", "order.json", "-f", "campaign=spring").code == 0
    assert sent_bodies(sandbox)[0]["campaign"] == "spring"


# --- check and skeleton ---------------------------------------------------------------------


def test_check_shows_problems_and_makes_no_call(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    write_document(change_item(make_order(colour="blue"), count=0))
    result = invoke(cli, "orders", "add", "order.json", "--check", "-o", "json")
    assert result.code == 2
    assert [(row["path"], row["verdict"]) for row in result.data] == [
        ("items[0].count", "error"),
        ("colour", "warning"),
    ]
    table = invoke(cli, "orders", "add", "order.json", "--check")
    assert table.out.splitlines()[0] == "path\tverdict\tmessage"
    assert sandbox.state.journal.list_entries() == []


@pytest.mark.parametrize(
    ("order", "rows"), [(make_order(), 0), (make_order(colour="blue"), 1)], ids=["clean", "warning"]
)
def test_check_of_a_valid_order_succeeds(
    invoke: Invoke, unconfigured_cli: CliEnvironment, write_document: WriteDocument, order: dict[str, Any], rows: int
) -> None:
    result = invoke(unconfigured_cli, "orders", "add", write_document(order), "--check", "-o", "json")
    assert (result.code, len(result.data)) == (0, rows)
    assert ("no problems found" in result.err) is (rows == 0)


@pytest.mark.parametrize("api", ["core", "publish"])
def test_the_skeleton_passes_its_check_and_can_be_sent(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, api: str
) -> None:
    skeleton = invoke(cli, "orders", "add", "--skeleton", "--api", api)
    assert (skeleton.code, skeleton.err) == (0, "")
    edited = skeleton.out.replace("0123456789012", "1234567890123")
    write_document(edited, "order.yaml")
    assert invoke(cli, "orders", "add", "order.yaml", "--check", "--api", api).code == 0
    result = invoke(cli, "orders", "add", "order.yaml", "--api", api, "-o", "json")
    assert (result.code, result.data) == (0, {"order": "order-0001"})
    assert sandbox.state.orders.find("order-0001") is not None


def test_an_order_for_the_other_api_fails_the_check(
    invoke: Invoke, unconfigured_cli: CliEnvironment, write_document: WriteDocument
) -> None:
    publish_order = invoke(unconfigured_cli, "orders", "add", write_document(PUBLISH_ORDER), "--check")
    core_order = invoke(unconfigured_cli, "orders", "add", write_document(ORDER), "--check", "--api", "publish")
    assert (publish_order.code, core_order.code) == (2, 2)


# --- lost answers ---------------------------------------------------------------------------


def test_an_order_whose_answer_was_lost_is_found_and_exists_once(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    sandbox.add_fault(make_fault("reset-after", ADD_PATH, 1))
    result = invoke(cli, "orders", "add", write_document(ORDER), "-o", "json")
    assert (result.code, result.data) == (0, {"order": "12346"})
    assert result.err == 'The order "12346" was created, although its answer was lost.\n'
    assert len(sandbox.state.orders) == 3
    assert len(sent_bodies(sandbox)) == 1
    assert sent_bodies(sandbox, INFO_PATH) == [{"apikey": "***", "reference": "12346"}]


@pytest.mark.parametrize("kind", ["truncated", "invalid-json"])
def test_an_order_whose_answer_is_invalid_is_found(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, kind: str
) -> None:
    sandbox.add_fault(make_fault(kind, ADD_PATH, 1))
    result = invoke(cli, "orders", "add", write_document(ORDER))
    assert result.code == 0
    assert 'The order "12346" was created' in result.err
    assert len(sent_bodies(sandbox)) == 1


def test_a_publish_order_whose_answer_was_lost_is_found(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    sandbox.add_fault(make_fault("reset-after", ADD_PATH, 1))
    result = invoke(cli, "orders", "add", write_document(PUBLISH_ORDER), "--api", "publish", "-o", "json")
    assert (result.code, result.data) == (0, {"order": "200012345"})
    assert len(sent_bodies(sandbox)) == 1


@pytest.mark.parametrize("api", ["core", "publish"])
def test_an_order_that_never_arrived_was_not_created(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, api: str
) -> None:
    write_document(ORDER if api == "core" else PUBLISH_ORDER)
    reference = "12346" if api == "core" else "200012345"
    sandbox.add_fault(make_fault("reset-before", ADD_PATH, 1))
    result = invoke(cli, "orders", "add", "order.json", "--api", api)
    assert (result.code, result.out) == (75, "")
    assert f'The order "{reference}" was not created' in result.err
    assert "You can add it again." in result.err
    assert len(sent_bodies(sandbox)) == 1
    assert len(sent_bodies(sandbox, INFO_PATH)) == 3
    assert invoke(cli, "orders", "add", "order.json", "--api", api).code == 0


@pytest.mark.parametrize("add", ["reset-before", "reset-after"])
@pytest.mark.parametrize(
    "info",
    [
        make_fault("status", INFO_PATH, 0, 500),
        make_fault("status", INFO_PATH, 0, 403),
        make_fault("reset-after", INFO_PATH),
    ],
    ids=["500", "403", "reset"],
)
def test_an_order_that_cannot_be_looked_up_has_an_unknown_outcome(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, add: str, info: Any
) -> None:
    sandbox.add_fault(make_fault(add, ADD_PATH))
    sandbox.add_fault(info)
    result = invoke(cli, "orders", "add", write_document(ORDER), "--timeout", "0.5", "-o", "json")
    assert (result.code, result.out) == (75, "")
    assert 'It is unknown whether the order "12346" was created' in result.error["message"]
    assert "cpctl orders info 12346" in result.error["hint"]
    assert "not created" not in result.err
    assert len(sent_bodies(sandbox)) == 1


def test_an_order_is_sent_once_even_if_the_service_is_busy(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    sandbox.add_fault(make_fault("status", ADD_PATH, 0, 503, "0"))
    result = invoke(cli, "orders", "add", write_document(ORDER))
    assert result.code == 75
    assert 'The order "12346" was not created' in result.err
    assert len(sent_bodies(sandbox)) == 1


def test_a_different_order_with_the_same_reference_is_a_conflict_after_a_lost_answer(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument
) -> None:
    other = {**ORDER_INFO, "reference": "12346"}
    with scripted_server(
        {ADD_PATH: ScriptedResponse(500), INFO_PATH: ScriptedResponse(200, encode_body(other))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 6
    assert 'An order "12346" with other items already exists; this one was not created.' in result.err
    assert [request.path for request in service.requests] == [ADD_PATH, INFO_PATH]


def test_without_a_network_an_order_was_not_created(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    result = invoke(cli, "orders", "add", write_document(ORDER), "--timeout", "0.5")
    assert result.code == 75
    assert "was created" not in result.err
    assert "cannot connect" in result.err


def test_a_success_without_a_body_is_a_success(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument
) -> None:
    with scripted_server({ADD_PATH: ScriptedResponse(201)}) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 0
    assert 'The order "12346" was created.' in result.err


def test_a_refusal_shows_the_message_of_the_service(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    result = invoke(cli, "orders", "add", write_document(change_item(make_order(), product="book_of_sand")))
    assert (result.code, result.out) == (5, "")
    assert "product_unknown: book_of_sand" in result.err
    assert sent_bodies(sandbox, INFO_PATH) == []


@pytest.mark.parametrize(
    "message",
    ["reference already exists", "duplicate order reference", "The reference must be unique: 12346"],
)
def test_an_existing_reference_is_a_conflict_in_any_wording(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, message: str
) -> None:
    with scripted_server(
        {ADD_PATH: ScriptedResponse(400, encode_body({"error": {"type": "invalid", "info": message}}))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 6
    assert 'The order "12346" already exists.' in result.err


@pytest.mark.parametrize(
    "message",
    ["product_reference does not exist", "option_reference is missing", "catalog_reference does not exist"],
)
def test_a_refused_reference_to_another_resource_is_not_a_conflict(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, message: str
) -> None:
    with scripted_server(
        {ADD_PATH: ScriptedResponse(400, encode_body({"error": {"type": "invalid", "info": message}}))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 5
    assert message in result.err


def test_a_document_is_required(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "add")
    assert result.code == 2
    assert "--skeleton" in result.err
