"""The bench as a state machine over a real store: the verdict on each scan."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cpctl.errors import StoreError
from cpctl.outbox.models import DeliveryResult, Disposition
from cpctl.packing.models import Severity
from cpctl.store.store import Store
from harness.packing.bench_harness import (
    DAMAGED_UPS,
    ISBN,
    ITEM,
    LEITCODE,
    ORDER,
    OTHER_ORDER,
    OTHER_ORDER_ITEM,
    OTHER_UPS,
    PACKING_RULES,
    SECOND_ITEM,
    SHIPPING_RULES,
    THIRD_ITEM,
    UPS,
    BenchHarness,
    open_bench,
)


@pytest.fixture
def shipping_bench(tmp_path: Path) -> Iterator[BenchHarness]:
    with open_bench(tmp_path / "bench.db") as harness:
        yield harness


@pytest.fixture
def packing_bench(tmp_path: Path) -> Iterator[BenchHarness]:
    with open_bench(tmp_path / "bench.db", PACKING_RULES) as harness:
        yield harness


def change_rules(harness: BenchHarness, **changes: object) -> BenchHarness:
    harness.rules = harness.rules._replace(**changes)  # type: ignore[arg-type]
    harness.reopen()
    return harness


def test_an_item_and_its_label_become_one_signal(shipping_bench: BenchHarness) -> None:
    assert shipping_bench.scan(ITEM).severity is Severity.STEP
    assert shipping_bench.signal_summaries() == []
    verdict = shipping_bench.scan(UPS)
    assert (verdict.severity, verdict.message) == (Severity.OK, f"{ITEM} -> {UPS}  UPS")
    assert shipping_bench.signal_summaries() == [(ITEM, UPS, "UPS", "queued")]
    assert shipping_bench.queued_signals()[0].origin == ("Ana", "bench-2", "ups")


def test_a_carrier_without_an_option_gets_the_default_shipping_option(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, "00340434161094015902")
    assert shipping_bench.signal_summaries() == [(ITEM, "00340434161094015902", "GLS", "queued")]


def test_without_labels_every_item_is_accepted_at_once(packing_bench: BenchHarness) -> None:
    assert packing_bench.scan(ITEM).severity is Severity.OK
    assert packing_bench.scan(SECOND_ITEM).severity is Severity.OK
    assert packing_bench.scan(ITEM).message.startswith("ALREADY DONE")
    assert [summary[0] for summary in packing_bench.signal_summaries()] == [ITEM, SECOND_ITEM]


def test_undo_after_already_done_does_not_undo_an_earlier_scan(packing_bench: BenchHarness) -> None:
    packing_bench.scan(ITEM)
    packing_bench.scan(SECOND_ITEM)
    packing_bench.advance_time(2)
    assert packing_bench.scan(ITEM).message.startswith("ALREADY DONE")
    assert packing_bench.scan("CPCTLUNDO").message == "Nothing to undo"
    assert [summary[0] for summary in packing_bench.signal_summaries()] == [ITEM, SECOND_ITEM]


def test_several_items_go_into_one_parcel(shipping_bench: BenchHarness) -> None:
    assert shipping_bench.scan(ITEM, SECOND_ITEM, THIRD_ITEM).message.endswith("number 3 of this parcel")
    assert shipping_bench.scan(UPS).message.startswith("3 items -> ")
    assert [summary[:2] for summary in shipping_bench.signal_summaries()] == [
        (ITEM, UPS),
        (SECOND_ITEM, UPS),
        (THIRD_ITEM, UPS),
    ]


def test_the_same_code_twice_within_a_second_is_one_scan(shipping_bench: BenchHarness) -> None:
    shipping_bench.bench.scan(ITEM)
    shipping_bench.advance_time(1)
    assert shipping_bench.bench.scan(ITEM) is None
    shipping_bench.advance_time(1)
    assert shipping_bench.bench.scan(ITEM) is None, "a scanner that never stops is still one scan"
    assert len(shipping_bench.bench.parcel) == 1


def test_the_same_label_after_two_items_is_not_a_double_scan(shipping_bench: BenchHarness) -> None:
    for code in (ITEM, UPS, SECOND_ITEM, UPS):
        shipping_bench.advance_time(0.1)
        shipping_bench.bench.scan(code)
    assert [summary[0] for summary in shipping_bench.signal_summaries()] == [ITEM, SECOND_ITEM]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (ITEM, "THIS IS THE ITEM AGAIN"),
        (ISBN, "THIS IS THE BOOK'S ISBN"),
        ("12345", "too short"),
        ("1Z5R8939\x1d0357567127", "2D code"),
        (ORDER, "THE ORDER'S CODE"),
    ],
)
def test_a_code_that_cannot_be_a_label_stops_the_bench(shipping_bench: BenchHarness, code: str, message: str) -> None:
    shipping_bench.scan(ITEM)
    verdict = shipping_bench.scan(code)
    assert verdict.severity is Severity.STOP
    assert message in verdict.message
    held = shipping_bench.scan(UPS)
    assert held.severity is Severity.STOP and held.message.startswith("Answer first. ")
    assert shipping_bench.signal_summaries() == []
    assert shipping_bench.scan("cpctlok").severity is Severity.STEP
    assert shipping_bench.scan(UPS).severity is Severity.OK


@pytest.mark.parametrize(
    ("code", "message"),
    [(ISBN, "ISBN"), (UPS, "LABEL"), ("HELLO", "UNKNOWN CODE"), ("4006381333931", "ARTICLE"), ("A\x1eB", "2D code")],
)
def test_a_code_that_cannot_be_an_item_stops_the_bench(shipping_bench: BenchHarness, code: str, message: str) -> None:
    verdict = shipping_bench.scan(code)
    assert verdict.severity is Severity.STOP
    assert message in verdict.message


def test_unknown_codes_are_kept_for_the_summary(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan("HELLO", "CPCTLOK", "WORLD")
    assert shipping_bench.bench.unknown_codes == ["HELLO", "WORLD"]


@pytest.mark.parametrize("code", [DAMAGED_UPS, "SOMETHING-NEW-77", LEITCODE, "4006381333931"])
def test_a_doubtful_label_has_to_be_confirmed_and_is_recorded(shipping_bench: BenchHarness, code: str) -> None:
    assert shipping_bench.scan(ITEM, code).severity is Severity.CHECK
    assert shipping_bench.signal_summaries() == []
    assert shipping_bench.scan("CPCTLOK").severity is Severity.OK
    assert shipping_bench.signal_summaries()[0][:2] == (ITEM, code)
    ((kind, item, details),) = shipping_bench.audit_events()
    assert (kind, item) == ("override", ITEM) and details.endswith(code)
    assert shipping_bench.bench.reporter.override_count == 1


def test_a_doubtful_label_can_be_replaced_by_the_right_one(shipping_bench: BenchHarness) -> None:
    assert shipping_bench.scan(ITEM, DAMAGED_UPS).severity is Severity.CHECK
    assert shipping_bench.scan(UPS).severity is Severity.OK
    assert shipping_bench.signal_summaries() == [(ITEM, UPS, "UPS", "queued")]
    assert shipping_bench.audit_events() == []


def test_a_doubtful_label_can_be_discarded(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, DAMAGED_UPS)
    assert shipping_bench.scan("CPCTLNEXT").message.startswith("Discarded")
    assert shipping_bench.scan(UPS).severity is Severity.OK


def test_without_carriers_any_code_is_accepted_as_a_label(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, carriers=())
    assert shipping_bench.scan(ITEM, "whatever-1").severity is Severity.OK
    assert shipping_bench.scan(SECOND_ITEM, "https://example.com/t/1").severity is Severity.CHECK


def test_a_sandbox_accepts_its_own_tracking_codes(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, environment="sandbox")
    assert shipping_bench.scan(ITEM, "SANDBOX_1").severity is Severity.OK


@pytest.mark.parametrize(("answer", "tracking"), [("CPCTLOK", OTHER_UPS), ("CPCTLNEXT", UPS)])
def test_another_label_for_the_same_item_needs_a_decision(
    shipping_bench: BenchHarness, answer: str, tracking: str
) -> None:
    shipping_bench.scan(ITEM, UPS)
    verdict = shipping_bench.scan(ITEM, OTHER_UPS)
    assert verdict.severity is Severity.STOP
    assert f"ALREADY HAS {UPS}" in verdict.message
    assert shipping_bench.scan(SECOND_ITEM).severity is Severity.STOP
    shipping_bench.scan(answer)
    shipping_bench.advance_time(60)
    shipping_bench.deliver()
    assert [summary[1] for summary in shipping_bench.signal_summaries() if summary[3] == "delivered"] == [tracking]


def test_a_replaced_label_that_was_sent_is_followed_by_the_new_one(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.advance_time(60)
    shipping_bench.deliver()
    shipping_bench.scan(ITEM, OTHER_UPS, "CPCTLOK")
    shipping_bench.advance_time(60)
    shipping_bench.deliver()
    assert [summary[1:4:2] for summary in shipping_bench.signal_summaries()] == [
        (UPS, "delivered"),
        (OTHER_UPS, "delivered"),
    ]


def test_a_conflict_does_not_hold_the_other_items_of_the_parcel(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    verdict = shipping_bench.scan(ITEM, SECOND_ITEM, OTHER_UPS)
    assert f"ITEM {ITEM} ALREADY HAS" in verdict.message and "other items of the parcel are accepted" in verdict.hint
    shipping_bench.scan("CPCTLNEXT")
    assert [summary[:2] for summary in shipping_bench.signal_summaries()] == [(ITEM, UPS), (SECOND_ITEM, OTHER_UPS)]


def test_the_same_label_again_is_already_done(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    assert shipping_bench.scan(UPS).severity is Severity.DONE
    assert shipping_bench.scan(ITEM, UPS).severity is Severity.DONE
    assert len(shipping_bench.signal_summaries()) == 1


# --- undo -----------------------------------------------------------------------------------


def test_undo_drops_the_last_signal_and_asks_for_its_label_again(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    assert shipping_bench.scan("CPCTLUNDO").message == f"UNDONE: {ITEM}"
    assert [summary[3] for summary in shipping_bench.signal_summaries()] == ["dropped"]
    assert shipping_bench.audit_events() == [("undo", ITEM, "undone at the bench")]
    assert shipping_bench.scan(OTHER_UPS).severity is Severity.OK
    shipping_bench.advance_time(60)
    shipping_bench.deliver()
    assert [summary[1] for summary in shipping_bench.signal_summaries() if summary[3] == "delivered"] == [OTHER_UPS]


def test_nothing_is_sent_while_it_can_be_undone(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.advance_time(9)
    shipping_bench.deliver()
    assert [summary[3] for summary in shipping_bench.signal_summaries()] == ["queued"]
    shipping_bench.advance_time(2)
    shipping_bench.deliver()
    assert [summary[3] for summary in shipping_bench.signal_summaries()] == ["delivered"]


def test_undo_after_sending_shows_when_it_was_sent(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.advance_time(11)
    shipping_bench.deliver()
    verdict = shipping_bench.scan("CPCTLUNDO")
    assert verdict.severity is Severity.STOP
    assert re.search(r"was sent at \d\d:\d\d:\d\d", verdict.message)


def test_undo_of_what_may_have_arrived_is_refused(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.advance_time(11)
    shipping_bench.deliver(
        lambda signals: DeliveryResult(Disposition.RETRY, affects_service=True, maybe_processed=True)
    )
    assert "may have been sent" in shipping_bench.scan("CPCTLUNDO").message


def test_undo_before_the_label_removes_the_item(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, SECOND_ITEM, "CPCTLUNDO")
    assert [piece.item for piece in shipping_bench.bench.parcel] == [ITEM]
    shipping_bench.scan("CPCTLHELP", "CPCTLUNDO")
    assert shipping_bench.bench.parcel == []
    assert shipping_bench.scan("CPCTLNEXT", "CPCTLUNDO").message == "Nothing to undo"


def test_undo_works_offline_for_hours(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.advance_time(3600)
    shipping_bench.deliver(lambda signals: DeliveryResult(Disposition.RETRY, affects_service=True))
    assert shipping_bench.scan("CPCTLUNDO").message.startswith("UNDONE")


# --- orders ---------------------------------------------------------------------------------


def test_an_unknown_order_stops_the_bench_with_a_hint(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, order_rule=None)
    verdict = shipping_bench.scan(ITEM)
    assert verdict.severity is Severity.STOP
    assert "ORDER of item" in verdict.message and "order_of_item" in verdict.hint


def test_an_order_given_for_the_run_is_used(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, order_rule=None, order="A-1")
    shipping_bench.scan(ITEM, UPS)
    assert shipping_bench.queued_signals()[0].signal.order == "A-1"


def test_a_scanned_order_holds_for_one_parcel(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, order_rule=None, item_pattern=re.compile(r"(?P<order>\d{8}0000)|\d{12}"))
    assert shipping_bench.scan(ORDER).message == f"Order {ORDER}"
    assert shipping_bench.scan(ITEM, UPS).severity is Severity.OK
    assert shipping_bench.queued_signals()[0].signal.order == ORDER
    assert shipping_bench.scan(SECOND_ITEM).severity is Severity.STOP


def test_an_item_in_the_history_needs_no_order(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, signal_type=PACKING_RULES.signal_type, order="A-1", order_rule=None)
    shipping_bench.scan(ITEM)
    change_rules(shipping_bench, signal_type=SHIPPING_RULES.signal_type, order="")
    shipping_bench.scan(ITEM, UPS)
    assert [entry.signal.order for entry in shipping_bench.queued_signals()] == ["A-1", "A-1"]


def test_an_item_of_a_contradicting_order_is_not_guessed(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, signal_type=PACKING_RULES.signal_type, order="A-1", order_rule=None)
    shipping_bench.scan(ITEM)
    shipping_bench.rules = shipping_bench.rules._replace(order="B-1")
    assert "BELONGS TO ORDER A-1" in change_rules(shipping_bench).scan(ITEM).message


def test_an_item_of_another_order_stops_the_bench(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, order=OTHER_ORDER)
    assert f"BELONGS TO ORDER {ORDER}" in shipping_bench.scan(ITEM).message
    shipping_bench.scan("CPCTLOK")
    assert shipping_bench.scan(OTHER_ORDER_ITEM, UPS).severity is Severity.OK


def test_a_code_that_could_be_item_or_label_has_to_be_decided(shipping_bench: BenchHarness) -> None:
    change_rules(shipping_bench, carriers=("fedex",))
    fedex = "986578788855"
    assert shipping_bench.scan(ITEM, fedex).message.startswith("ITEM OR LABEL?")
    shipping_bench.scan("CPCTLOK")
    assert shipping_bench.signal_summaries() == [(ITEM, fedex, "GLS", "queued")]
    shipping_bench.scan(SECOND_ITEM, "477179081230")
    assert shipping_bench.scan("CPCTLNEXT").message.startswith("ITEM 477179081230")


# --- people ---------------------------------------------------------------------------------


def test_a_badge_sets_the_operator(shipping_bench: BenchHarness) -> None:
    assert shipping_bench.scan("badge-Ben").message == "Hello, Ben"
    shipping_bench.scan(ITEM, UPS)
    assert shipping_bench.queued_signals()[0].origin.operator == "Ben"


def test_pause_locks_the_bench_until_a_badge_is_scanned(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan("CPCTLLOCK")
    assert shipping_bench.scan(ITEM).message.startswith("PAUSED")
    assert shipping_bench.scan("CPCTLNEXT").message.startswith("PAUSED")
    shipping_bench.scan("BADGE-Ben")
    assert shipping_bench.scan(ITEM).severity is Severity.STEP
    assert shipping_bench.scan("CPCTLPAUSE", "CPCTLPAUSE").message == "PAUSED" or not shipping_bench.bench.is_paused


def test_end_does_not_end_the_shift_while_a_question_is_open(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ISBN)
    assert shipping_bench.scan("CPCTLEND").severity is Severity.STOP
    assert not shipping_bench.bench.is_ended
    shipping_bench.scan("CPCTLOK", "CPCTLEND")
    assert shipping_bench.bench.is_ended


def test_a_typed_code_must_be_typed_twice(shipping_bench: BenchHarness) -> None:
    assert shipping_bench.scan(ITEM, is_typed=True).severity is Severity.CHECK
    assert shipping_bench.scan(SECOND_ITEM, is_typed=True).severity is Severity.CHECK
    assert shipping_bench.bench.parcel == []
    assert shipping_bench.scan(SECOND_ITEM, is_typed=True).message.startswith(f"ITEM {SECOND_ITEM}")


def test_next_puts_an_item_aside(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, "CPCTLNEXT")
    assert shipping_bench.bench.parcel == []
    assert shipping_bench.reopen().recover() is None


@pytest.mark.parametrize(
    ("arrived", "layout"),
    [("1Y5R89390357567127", "German"), ('&W(R_ç"ç="(è', ""), ('&W(R_ç"çà"(è(-è&éè', "French")],
)
def test_a_label_from_a_wrong_keyboard_layout_is_repaired(
    shipping_bench: BenchHarness, arrived: str, layout: str
) -> None:
    verdict = shipping_bench.scan(ITEM, arrived)
    if layout:
        assert verdict.severity is Severity.OK and verdict.repaired_layout.startswith(layout)
        assert shipping_bench.signal_summaries()[0][1] == UPS
    else:
        assert verdict.severity is Severity.CHECK and shipping_bench.signal_summaries() == []


# --- crashes and faults ---------------------------------------------------------------------


def test_an_open_parcel_survives_a_crash(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, SECOND_ITEM)
    verdict = shipping_bench.reopen().recover()
    assert verdict is not None and f"{ITEM}, {SECOND_ITEM} was scanned" in verdict.message
    assert shipping_bench.scan(UPS).message.startswith("2 items")
    assert [summary[0] for summary in shipping_bench.signal_summaries()] == [ITEM, SECOND_ITEM]


def test_a_crash_right_after_acceptance_leaves_no_open_parcel(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    assert shipping_bench.reopen().recover() is None


def test_an_accepted_parcel_is_removed_from_the_store(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.bench.save_stale_parcel()
    rows = shipping_bench.store.read(lambda work: work.fetch_all("SELECT * FROM open_parcels"))
    assert rows == []


def test_a_store_that_fails_stops_the_bench(shipping_bench: BenchHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    shipping_bench.scan(ITEM)

    def full(*arguments: object) -> None:
        raise StoreError("The store failed: the disk is full.", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        verdict = shipping_bench.scan(UPS)
    assert verdict.severity is Severity.STOP
    assert verdict.message.startswith("NOT ACCEPTED, do not ship. The store failed: the disk is full")
    assert shipping_bench.signal_summaries() == []
    shipping_bench.scan("CPCTLOK")
    assert shipping_bench.scan(UPS).severity is Severity.OK, "the item still waits for its label"


def test_an_item_that_cannot_be_saved_is_not_on_the_table(
    shipping_bench: BenchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise StoreError("The store failed: the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        assert shipping_bench.scan(ITEM).severity is Severity.STOP
    assert shipping_bench.bench.parcel == []


def test_an_alert_waits_until_no_question_is_open(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.advance_time(60)
    shipping_bench.deliver(lambda signals: DeliveryResult(Disposition.REFUSED, 400, "order canceled"))
    shipping_bench.scan(ISBN)
    shipping_bench.bench.interrupt_for(shipping_bench.queued_signals()[0])
    assert shipping_bench.bench.pop_alert() is None
    shipping_bench.scan("CPCTLOK")
    alert = shipping_bench.bench.pop_alert()
    assert alert is not None and alert.severity is Severity.STOP
    assert f"PULL THE PARCEL with item {ITEM}: refused: order canceled" in alert.message
    assert shipping_bench.scan(SECOND_ITEM).severity is Severity.STOP
    shipping_bench.scan("CPCTLOK")
    assert shipping_bench.scan(SECOND_ITEM).severity is Severity.STEP


def test_a_refused_parcel_can_be_scanned_again(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, UPS)
    shipping_bench.advance_time(60)
    shipping_bench.deliver(lambda signals: DeliveryResult(Disposition.REFUSED, 400, "order canceled"))
    assert shipping_bench.scan(ITEM, UPS).severity is Severity.OK


@pytest.mark.parametrize(("word", "code"), [("OK", "CPCTLOK"), ("stop", "CPCTLEND"), ("PAUSE", "CPCTLLOCK")])
def test_a_command_typed_without_its_prefix_is_explained_and_answers_nothing(
    shipping_bench: BenchHarness, word: str, code: str
) -> None:
    shipping_bench.scan(ITEM, ISBN)
    asked = shipping_bench.bench.question
    verdict = shipping_bench.scan(word)
    assert verdict.severity is Severity.CHECK
    assert f"or type {code}." in verdict.hint
    assert asked is not None
    assert shipping_bench.bench.question is asked


def test_a_command_typed_instead_of_a_label_keeps_the_item(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM, "UNDO")
    assert shipping_bench.scan(UPS).severity is Severity.OK


def test_a_leftover_item_is_not_added_to_a_new_parcel_without_asking(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM)
    shipping_bench.reopen().recover()
    verdict = shipping_bench.scan(SECOND_ITEM)
    assert verdict.severity is Severity.CHECK
    assert f"ITEM {ITEM} was here before" in verdict.message
    assert shipping_bench.scan("CPCTLNEXT").message == f"ITEM {SECOND_ITEM} of order {ORDER}"
    shipping_bench.scan(UPS)
    assert shipping_bench.signal_summaries() == [(SECOND_ITEM, UPS, "UPS", "queued")]


def test_a_leftover_item_joins_the_next_parcel_on_ok(
    shipping_bench: BenchHarness,
) -> None:
    shipping_bench.scan(ITEM)
    shipping_bench.reopen().recover()
    shipping_bench.scan(SECOND_ITEM, "CPCTLOK", UPS)
    assert [item for item, *_ in shipping_bench.signal_summaries()] == [ITEM, SECOND_ITEM]
    assert shipping_bench.scan(THIRD_ITEM).severity is Severity.STEP


def test_a_leftover_item_is_asked_about_once(shipping_bench: BenchHarness) -> None:
    shipping_bench.scan(ITEM)
    shipping_bench.reopen().recover()
    assert shipping_bench.scan(UPS).severity is Severity.OK
    assert shipping_bench.scan(SECOND_ITEM).severity is Severity.STEP
