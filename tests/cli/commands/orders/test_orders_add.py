"""Adding orders: documents read and checked, sent once, and what is said when the answer is lost."""

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cpctl.cli.commands.orders import add as adding
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
    """A lost order is looked for without long pauses."""
    monkeypatch.setattr(adding, "LOOKUP_INTERVAL_SECONDS", 0.01)


def sent_bodies(sandbox: Sandbox, path: str = ADD_PATH) -> list[Any]:
    """The bodies that a path received."""
    return [entry["body"] for entry in sandbox.state.journal.list_entries() if entry["path"] == path]


def change_item(document: dict[str, Any], **item: Any) -> dict[str, Any]:
    """The order with other fields in its first item; None takes one away."""
    made = copy.deepcopy(document)
    made["items"][0] = {name: value for name, value in {**made["items"][0], **item}.items() if value is not None}
    return made


# --- what is read and sent ------------------------------------------------------------------


def test_an_order_is_added_from_json_yaml_and_standard_input(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox
) -> None:
    (cli.folder / "a.json").write_text(json.dumps(make_order("a")))
    (cli.folder / "b.yaml").write_text(yaml.safe_dump(make_order("b")))
    for file, reference in (("a.json", "a"), ("b.yaml", "b")):
        result = invoke(cli, "orders", "add", file, "-o", "json")
        assert (result.code, result.data) == (0, {"order": reference})
        assert result.err == f'The order "{reference}" is created.\n'
    for text, reference in ((json.dumps(make_order("c")), "c"), (yaml.safe_dump(make_order("d")), "d")):
        assert cli.run("orders", "add", "-", input=text).code == 0
        assert sandbox.state.orders.find(reference) is not None
    assert sent_bodies(sandbox) == [{"apikey": "***", **make_order(reference)} for reference in "abcd"]


def test_leading_zeros_of_yaml_arrive_as_they_were_written(
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


def test_a_file_at_hand_gives_its_sum_and_its_path_stays_here(
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
def test_a_file_that_cannot_be_summed_stops_the_order(
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


def test_everything_wrong_is_said_at_once_and_nothing_is_sent(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    order = change_item(make_order("a b"), count=0, product=None)
    del order["addresses"][0]["phone"]
    order["items"][0]["files"][0]["md5sum"] = "123"
    result = invoke(cli, "orders", "add", write_document(order))
    assert (result.code, result.out) == (2, "")
    first, *lines, last = result.err.splitlines()
    assert "order.json: 5 to mend" in first
    paths = ["reference", "addresses[0].phone", "items[0].count", "items[0].product", "items[0].files[0].md5sum"]
    assert sorted(line.split(": ")[0].strip() for line in lines) == sorted(paths)
    assert last.strip() == "Nothing was sent."
    assert sandbox.state.journal.list_entries() == []


def test_a_warning_does_not_stop_an_order(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    result = invoke(cli, "orders", "add", write_document(make_order("a", colour="blue")))
    assert result.code == 0
    assert "Warning: colour: is no field of an order that cpctl knows" in result.err
    assert sent_bodies(sandbox)[0]["colour"] == "blue"


def test_a_dry_run_of_a_wrong_order_is_refused_as_well(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    assert invoke(cli, "orders", "add", write_document({}), "--dry-run").code == 2


def test_a_further_field_arrives_and_a_known_one_is_not_said_twice(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    write_document(make_order("a"))
    assert invoke(cli, "orders", "add", "order.json", "-f", "email=b@example.com").code == 2
    assert invoke(cli, "orders", "add", "order.json", "-f", "apikey=x").code == 2
    assert sent_bodies(sandbox) == []
    assert invoke(cli, "orders", "add", "order.json", "-f", "campaign=spring").code == 0
    assert sent_bodies(sandbox)[0]["campaign"] == "spring"


# --- check and skeleton ---------------------------------------------------------------------


def test_check_says_what_is_wrong_and_asks_nobody(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    write_document(change_item(make_order(colour="blue"), count=0))
    result = invoke(cli, "orders", "add", "order.json", "--check", "-o", "json")
    assert result.code == 2
    assert [(row["path"], row["verdict"]) for row in result.data] == [
        ("items[0].count", "error"),
        ("colour", "warning"),
    ]
    shown = invoke(cli, "orders", "add", "order.json", "--check")
    assert shown.out.splitlines()[0] == "path\tverdict\tmessage"
    assert sandbox.state.journal.list_entries() == []


@pytest.mark.parametrize(
    ("order", "rows"), [(make_order(), 0), (make_order(colour="blue"), 1)], ids=["clean", "warning"]
)
def test_check_of_an_order_that_would_be_sent_ends_well(
    invoke: Invoke, unconfigured_cli: CliEnvironment, write_document: WriteDocument, order: dict[str, Any], rows: int
) -> None:
    result = invoke(unconfigured_cli, "orders", "add", write_document(order), "--check", "-o", "json")
    assert (result.code, len(result.data)) == (0, rows)
    assert ("nothing is wrong" in result.err) is (rows == 0)


@pytest.mark.parametrize("api", ["core", "publish"])
def test_the_skeleton_passes_its_check_and_differs_only_where_the_shop_does(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, api: str
) -> None:
    skeleton = invoke(cli, "orders", "add", "--skeleton", "--api", api)
    assert (skeleton.code, skeleton.err) == (0, "")
    mended = skeleton.out.replace("0123456789012", "1234567890123")
    write_document(mended, "order.yaml")
    assert invoke(cli, "orders", "add", "order.yaml", "--check", "--api", api).code == 0
    result = invoke(cli, "orders", "add", "order.yaml", "--api", api, "-o", "json")
    assert (result.code, result.data) == (0, {"order": "order-0001"})
    assert sandbox.state.orders.find("order-0001") is not None


def test_an_order_of_the_other_api_is_found_by_its_check(
    invoke: Invoke, unconfigured_cli: CliEnvironment, write_document: WriteDocument
) -> None:
    titles = invoke(unconfigured_cli, "orders", "add", write_document(PUBLISH_ORDER), "--check")
    products = invoke(unconfigured_cli, "orders", "add", write_document(ORDER), "--check", "--api", "publish")
    assert (titles.code, products.code) == (2, 2)


# --- lost answers ---------------------------------------------------------------------------


def test_an_order_whose_answer_was_lost_is_found_and_exists_once(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    sandbox.add_fault(make_fault("reset-after", ADD_PATH, 1))
    result = invoke(cli, "orders", "add", write_document(ORDER), "-o", "json")
    assert (result.code, result.data) == (0, {"order": "12346"})
    assert result.err == 'The order "12346" is created; its answer was lost.\n'
    assert len(sandbox.state.orders) == 3
    assert len(sent_bodies(sandbox)) == 1
    assert sent_bodies(sandbox, INFO_PATH) == [{"apikey": "***", "reference": "12346"}]


@pytest.mark.parametrize("kind", ["truncated", "invalid-json"])
def test_an_order_whose_answer_was_spoilt_is_found(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, kind: str
) -> None:
    sandbox.add_fault(make_fault(kind, ADD_PATH, 1))
    result = invoke(cli, "orders", "add", write_document(ORDER))
    assert result.code == 0
    assert 'The order "12346" is created' in result.err
    assert len(sent_bodies(sandbox)) == 1


def test_an_order_of_titles_whose_answer_was_lost_is_found(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    sandbox.add_fault(make_fault("reset-after", ADD_PATH, 1))
    result = invoke(cli, "orders", "add", write_document(PUBLISH_ORDER), "--api", "publish", "-o", "json")
    assert (result.code, result.data) == (0, {"order": "200012345"})
    assert len(sent_bodies(sandbox)) == 1


@pytest.mark.parametrize("api", ["core", "publish"])
def test_an_order_that_was_lost_before_it_arrived_was_not_created(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, api: str
) -> None:
    write_document(ORDER if api == "core" else PUBLISH_ORDER)
    reference = "12346" if api == "core" else "200012345"
    sandbox.add_fault(make_fault("reset-before", ADD_PATH, 1))
    result = invoke(cli, "orders", "add", "order.json", "--api", api)
    assert (result.code, result.out) == (75, "")
    assert f'The order "{reference}" was not created' in result.err
    assert "It can be added again." in result.err
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
def test_where_nobody_can_tell_it_is_said_that_it_is_unknown(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, add: str, info: Any
) -> None:
    sandbox.add_fault(make_fault(add, ADD_PATH))
    sandbox.add_fault(info)
    result = invoke(cli, "orders", "add", write_document(ORDER), "--timeout", "0.5", "-o", "json")
    assert (result.code, result.out) == (75, "")
    assert 'Whether the order "12346" was created is unknown' in result.error["message"]
    assert "cpctl orders info 12346" in result.error["hint"]
    assert "not created" not in result.err
    assert len(sent_bodies(sandbox)) == 1


def test_an_order_is_sent_once_however_the_service_fails(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    sandbox.add_fault(make_fault("status", ADD_PATH, 0, 503, "0"))
    result = invoke(cli, "orders", "add", write_document(ORDER))
    assert result.code == 75
    assert 'The order "12346" was not created' in result.err
    assert len(sent_bodies(sandbox)) == 1


def test_another_order_of_that_reference_is_a_conflict_after_a_lost_answer(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument
) -> None:
    other = {**ORDER_INFO, "reference": "12346"}
    with scripted_server(
        {ADD_PATH: ScriptedResponse(500), INFO_PATH: ScriptedResponse(200, encode_body(other))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 6
    assert 'An order "12346" with other items exists; this one was not created.' in result.err
    assert [request.path for request in service.requests] == [ADD_PATH, INFO_PATH]


def test_with_no_network_an_order_is_never_said_to_be_created(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    result = invoke(cli, "orders", "add", write_document(ORDER), "--timeout", "0.5")
    assert result.code == 75
    assert "is created" not in result.err
    assert "not reached" in result.err


def test_an_answer_without_words_is_a_success_all_the_same(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument
) -> None:
    with scripted_server({ADD_PATH: ScriptedResponse(201)}) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 0
    assert 'The order "12346" is created.' in result.err


def test_a_refusal_is_told_in_the_words_of_the_service(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    result = invoke(cli, "orders", "add", write_document(change_item(make_order(), product="book_of_sand")))
    assert (result.code, result.out) == (5, "")
    assert "product_unknown: book_of_sand" in result.err
    assert sent_bodies(sandbox, INFO_PATH) == []


@pytest.mark.parametrize(
    "words",
    ["reference already exists", "duplicate order reference", "The reference must be unique: 12346"],
)
def test_a_reference_that_is_taken_is_a_conflict_however_it_is_worded(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, words: str
) -> None:
    with scripted_server(
        {ADD_PATH: ScriptedResponse(400, encode_body({"error": {"type": "invalid", "info": words}}))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 6
    assert 'The order "12346" exists already.' in result.err


@pytest.mark.parametrize(
    "words",
    ["product_reference does not exist", "option_reference is missing", "catalog_reference does not exist"],
)
def test_a_reference_to_something_else_is_no_conflict(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, words: str
) -> None:
    with scripted_server(
        {ADD_PATH: ScriptedResponse(400, encode_body({"error": {"type": "invalid", "info": words}}))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "add", write_document(ORDER))
    assert result.code == 5
    assert words in result.err


def test_a_document_must_be_named(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "add")
    assert result.code == 2
    assert "--skeleton" in result.err
