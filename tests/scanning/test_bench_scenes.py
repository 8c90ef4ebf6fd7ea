"""The bench as a state machine: what each scan means, over a real store."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_world import (
    DAMAGED_UPS,
    ISBN,
    ITEM,
    LEITCODE,
    ORDER,
    OTHER_ORDER,
    OTHER_UPS,
    PACKED,
    SECOND,
    SHIPPED,
    STRANGER,
    THIRD,
    UPS,
    Bank,
    bank_at,
)

from cpctl.errors import StoreError
from cpctl.outbox.delivery_result import DeliveryResult, Disposition
from cpctl.packing.models import Severity
from cpctl.store.store import Store


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    with bank_at(tmp_path / "bench.db") as made:
        yield made


@pytest.fixture
def packing(tmp_path: Path) -> Iterator[Bank]:
    with bank_at(tmp_path / "bench.db", PACKED) as made:
        yield made


def with_rules(bank: Bank, **changes: object) -> Bank:
    bank.rules = bank.rules._replace(**changes)  # type: ignore[arg-type]
    bank.reopened()
    return bank


def test_an_item_and_its_label_are_one_signal(bank: Bank) -> None:
    assert bank.scan(ITEM).severity is Severity.STEP
    assert bank.told() == []
    verdict = bank.scan(UPS)
    assert (verdict.severity, verdict.message) == (Severity.OK, f"{ITEM} -> {UPS}  UPS")
    assert bank.told() == [(ITEM, UPS, "UPS", "queued")]
    assert bank.entries()[0].origin == ("Ana", "bench-2", "ups")


def test_the_default_shipping_option_stands_in_where_the_carrier_has_none(bank: Bank) -> None:
    bank.scan(ITEM, "00340434161094015902")
    assert bank.told() == [(ITEM, "00340434161094015902", "GLS", "queued")]


def test_a_loop_of_one_scan_accepts_every_item(packing: Bank) -> None:
    assert packing.scan(ITEM).severity is Severity.OK
    assert packing.scan(SECOND).severity is Severity.OK
    assert packing.scan(ITEM).message.startswith("ALREADY DONE")
    assert [told[0] for told in packing.told()] == [ITEM, SECOND]


def test_undo_after_a_scan_that_was_done_before_takes_nothing_else_back(packing: Bank) -> None:
    packing.scan(ITEM)
    packing.scan(SECOND)
    packing.pass_time(2)
    assert packing.scan(ITEM).message.startswith("ALREADY DONE")
    assert packing.scan("CPCTLUNDO").message == "Nothing to take back"
    assert [told[0] for told in packing.told()] == [ITEM, SECOND]


def test_several_items_go_into_one_parcel(bank: Bank) -> None:
    assert bank.scan(ITEM, SECOND, THIRD).message.endswith("number 3 of this parcel")
    assert bank.scan(UPS).message.startswith("3 items -> ")
    assert [told[:2] for told in bank.told()] == [(ITEM, UPS), (SECOND, UPS), (THIRD, UPS)]


def test_a_code_twice_within_a_moment_is_one_scan(bank: Bank) -> None:
    bank.bench.scan(ITEM)
    bank.pass_time(1)
    assert bank.bench.scan(ITEM) is None
    bank.pass_time(1)
    assert bank.bench.scan(ITEM) is None, "a scanner that never stops is still one scan"
    assert len(bank.bench.parcel) == 1


def test_the_same_label_after_two_items_is_not_a_double_scan(bank: Bank) -> None:
    for code in (ITEM, UPS, SECOND, UPS):
        bank.pass_time(0.1)
        bank.bench.scan(code)
    assert [told[0] for told in bank.told()] == [ITEM, SECOND]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ITEM, "THIS IS THE ITEM AGAIN"),
        (ISBN, "THIS IS THE BOOK'S ISBN"),
        ("12345", "too short"),
        ("1Z5R8939\x1d0357567127", "2D code"),
        (ORDER, "THE ORDER'S CODE"),
    ],
)
def test_what_is_certainly_no_label_is_stopped(bank: Bank, code: str, words: str) -> None:
    bank.scan(ITEM)
    verdict = bank.scan(code)
    assert verdict.severity is Severity.STOP
    assert words in verdict.message
    held = bank.scan(UPS)
    assert held.severity is Severity.STOP and held.message.startswith("Answer first. ")
    assert bank.told() == []
    assert bank.scan("cpctlok").severity is Severity.STEP
    assert bank.scan(UPS).severity is Severity.OK


@pytest.mark.parametrize(
    ("code", "words"),
    [(ISBN, "ISBN"), (UPS, "LABEL"), ("HELLO", "UNKNOWN CODE"), ("4006381333931", "ARTICLE"), ("A\x1eB", "2D code")],
)
def test_what_is_no_item_is_stopped(bank: Bank, code: str, words: str) -> None:
    verdict = bank.scan(code)
    assert verdict.severity is Severity.STOP
    assert words in verdict.message


def test_unknown_codes_are_kept_for_later(bank: Bank) -> None:
    bank.scan("HELLO", "CPCTLOK", "WORLD")
    assert bank.bench.unknown_codes == ["HELLO", "WORLD"]


@pytest.mark.parametrize("code", [DAMAGED_UPS, "SOMETHING-NEW-77", LEITCODE, "4006381333931"])
def test_advice_waits_for_a_yes_and_is_written_down(bank: Bank, code: str) -> None:
    assert bank.scan(ITEM, code).severity is Severity.CHECK
    assert bank.told() == []
    assert bank.scan("CPCTLOK").severity is Severity.OK
    assert bank.told()[0][:2] == (ITEM, code)
    ((kind, item, words),) = bank.moments()
    assert (kind, item) == ("override", ITEM) and words.endswith(code)
    assert bank.bench.reporter.override_count == 1


def test_advice_can_be_answered_by_the_right_label(bank: Bank) -> None:
    assert bank.scan(ITEM, DAMAGED_UPS).severity is Severity.CHECK
    assert bank.scan(UPS).severity is Severity.OK
    assert bank.told() == [(ITEM, UPS, "UPS", "queued")]
    assert bank.moments() == []


def test_advice_can_be_declined(bank: Bank) -> None:
    bank.scan(ITEM, DAMAGED_UPS)
    assert bank.scan("CPCTLNEXT").message.startswith("Forgotten")
    assert bank.scan(UPS).severity is Severity.OK


def test_a_shop_without_carriers_is_not_advised(bank: Bank) -> None:
    with_rules(bank, carriers=())
    assert bank.scan(ITEM, "whatever-1").severity is Severity.OK
    assert bank.scan(SECOND, "https://example.com/t/1").severity is Severity.CHECK


def test_a_sandbox_takes_its_own_tracking_codes(bank: Bank) -> None:
    with_rules(bank, environment="sandbox")
    assert bank.scan(ITEM, "SANDBOX_1").severity is Severity.OK


@pytest.mark.parametrize(("answer", "tracking"), [("CPCTLOK", OTHER_UPS), ("CPCTLNEXT", UPS)])
def test_another_label_for_the_same_item_needs_a_decision(bank: Bank, answer: str, tracking: str) -> None:
    bank.scan(ITEM, UPS)
    verdict = bank.scan(ITEM, OTHER_UPS)
    assert verdict.severity is Severity.STOP
    assert f"ALREADY HAS {UPS}" in verdict.message
    assert bank.scan(SECOND).severity is Severity.STOP
    bank.scan(answer)
    bank.pass_time(60)
    bank.deliver()
    assert [told[1] for told in bank.told() if told[3] == "delivered"] == [tracking]


def test_a_replaced_label_that_was_sent_is_followed_by_the_new_one(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.pass_time(60)
    bank.deliver()
    bank.scan(ITEM, OTHER_UPS, "CPCTLOK")
    bank.pass_time(60)
    bank.deliver()
    assert [told[1:4:2] for told in bank.told()] == [(UPS, "delivered"), (OTHER_UPS, "delivered")]


def test_of_a_parcel_only_what_contradicts_is_held(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    verdict = bank.scan(ITEM, SECOND, OTHER_UPS)
    assert f"ITEM {ITEM} ALREADY HAS" in verdict.message and "others of the parcel are accepted" in verdict.hint
    bank.scan("CPCTLNEXT")
    assert [told[:2] for told in bank.told()] == [(ITEM, UPS), (SECOND, OTHER_UPS)]


def test_the_same_label_again_is_already_done(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    assert bank.scan(UPS).severity is Severity.DONE
    assert bank.scan(ITEM, UPS).severity is Severity.DONE
    assert len(bank.told()) == 1


# --- undo -----------------------------------------------------------------------------------


def test_undo_takes_the_last_one_back_and_asks_for_its_label_again(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    assert bank.scan("CPCTLUNDO").message == f"TAKEN BACK: {ITEM}"
    assert [told[3] for told in bank.told()] == ["dropped"]
    assert bank.moments() == [("undo", ITEM, "taken back at the bench")]
    assert bank.scan(OTHER_UPS).severity is Severity.OK
    bank.pass_time(60)
    bank.deliver()
    assert [told[1] for told in bank.told() if told[3] == "delivered"] == [OTHER_UPS]


def test_nothing_is_sent_in_the_time_of_undo(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.pass_time(9)
    bank.deliver()
    assert [told[3] for told in bank.told()] == ["queued"]
    bank.pass_time(2)
    bank.deliver()
    assert [told[3] for told in bank.told()] == ["delivered"]


def test_undo_after_sending_says_when_it_was_sent(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.pass_time(11)
    bank.deliver()
    verdict = bank.scan("CPCTLUNDO")
    assert verdict.severity is Severity.STOP
    assert re.search(r"was sent at \d\d:\d\d:\d\d", verdict.message)


def test_undo_of_what_may_have_arrived_is_refused(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.pass_time(11)
    bank.deliver(lambda signals: DeliveryResult(Disposition.RETRY, affects_service=True, maybe_processed=True))
    assert "may have been sent" in bank.scan("CPCTLUNDO").message


def test_undo_in_mid_pair_takes_the_item_away(bank: Bank) -> None:
    bank.scan(ITEM, SECOND, "CPCTLUNDO")
    assert [piece.item for piece in bank.bench.parcel] == [ITEM]
    bank.scan("CPCTLHELP", "CPCTLUNDO")
    assert bank.bench.parcel == []
    assert bank.scan("CPCTLNEXT", "CPCTLUNDO").message == "Nothing to take back"


def test_undo_works_offline_for_hours(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.pass_time(3600)
    bank.deliver(lambda signals: DeliveryResult(Disposition.RETRY, affects_service=True))
    assert bank.scan("CPCTLUNDO").message.startswith("TAKEN BACK")


# --- orders ---------------------------------------------------------------------------------


def test_without_a_rule_an_unknown_order_stops_with_words(bank: Bank) -> None:
    with_rules(bank, order_rule=None)
    verdict = bank.scan(ITEM)
    assert verdict.severity is Severity.STOP
    assert "ORDER of item" in verdict.message and "order_of_item" in verdict.hint


def test_an_order_given_for_the_run_is_used(bank: Bank) -> None:
    with_rules(bank, order_rule=None, order="A-1")
    bank.scan(ITEM, UPS)
    assert bank.entries()[0].signal.order == "A-1"


def test_a_scanned_order_holds_for_one_parcel(bank: Bank) -> None:
    with_rules(bank, order_rule=None, item_pattern=re.compile(r"(?P<order>\d{8}0000)|\d{12}"))
    assert bank.scan(ORDER).message == f"Order {ORDER}"
    assert bank.scan(ITEM, UPS).severity is Severity.OK
    assert bank.entries()[0].signal.order == ORDER
    assert bank.scan(SECOND).severity is Severity.STOP


def test_what_the_history_knows_needs_no_order(bank: Bank) -> None:
    with_rules(bank, kind=PACKED.signal_type, order="A-1", order_rule=None)
    bank.scan(ITEM)
    with_rules(bank, kind=SHIPPED.signal_type, order="")
    bank.scan(ITEM, UPS)
    assert [entry.signal.order for entry in bank.entries()] == ["A-1", "A-1"]


def test_an_item_known_of_two_orders_is_not_guessed(bank: Bank) -> None:
    with_rules(bank, kind=PACKED.signal_type, order="A-1", order_rule=None)
    bank.scan(ITEM)
    bank.rules = bank.rules._replace(order="B-1")
    assert "IS OF ORDER A-1" in with_rules(bank).scan(ITEM).message


def test_an_item_of_another_order_is_stopped(bank: Bank) -> None:
    with_rules(bank, order=OTHER_ORDER)
    assert f"IS OF ORDER {ORDER}" in bank.scan(ITEM).message
    bank.scan("CPCTLOK")
    assert bank.scan(STRANGER, UPS).severity is Severity.OK


def test_a_code_that_can_be_both_is_asked_about(bank: Bank) -> None:
    with_rules(bank, carriers=("fedex",))
    fedex = "986578788855"
    assert bank.scan(ITEM, fedex).message.startswith("ITEM OR LABEL?")
    bank.scan("CPCTLOK")
    assert bank.told() == [(ITEM, fedex, "GLS", "queued")]
    bank.scan(SECOND, "477179081230")
    assert bank.scan("CPCTLNEXT").message.startswith("ITEM 477179081230")


# --- people ---------------------------------------------------------------------------------


def test_a_badge_names_the_operator(bank: Bank) -> None:
    assert bank.scan("badge-Ben").message == "Good day, Ben"
    bank.scan(ITEM, UPS)
    assert bank.entries()[0].origin.operator == "Ben"


def test_pause_locks_until_a_badge(bank: Bank) -> None:
    bank.scan("CPCTLLOCK")
    assert bank.scan(ITEM).message.startswith("PAUSED")
    assert bank.scan("CPCTLNEXT").message.startswith("PAUSED")
    bank.scan("BADGE-Ben")
    assert bank.scan(ITEM).severity is Severity.STEP
    assert bank.scan("CPCTLPAUSE", "CPCTLPAUSE").message == "PAUSED" or not bank.bench.is_paused


def test_stop_ends_the_shift_but_not_over_a_question(bank: Bank) -> None:
    bank.scan(ISBN)
    assert bank.scan("CPCTLSTOP").severity is Severity.STOP
    assert not bank.bench.is_ended
    bank.scan("CPCTLOK", "CPCTLSTOP")
    assert bank.bench.is_ended


def test_what_is_typed_must_be_typed_twice(bank: Bank) -> None:
    assert bank.scan(ITEM, typed=True).severity is Severity.CHECK
    assert bank.scan(SECOND, typed=True).severity is Severity.CHECK
    assert bank.bench.parcel == []
    assert bank.scan(SECOND, typed=True).message.startswith(f"ITEM {SECOND}")


def test_next_puts_an_item_aside(bank: Bank) -> None:
    bank.scan(ITEM, "CPCTLNEXT")
    assert bank.bench.parcel == []
    assert bank.reopened().recover() is None


@pytest.mark.parametrize(
    ("arrived", "layout"),
    [("1Y5R89390357567127", "German"), ('&W(R_ç"ç="(è', ""), ('&W(R_ç"çà"(è(-è&éè', "French")],
)
def test_a_label_from_a_wrong_keyboard_layout_is_repaired(bank: Bank, arrived: str, layout: str) -> None:
    verdict = bank.scan(ITEM, arrived)
    if layout:
        assert verdict.severity is Severity.OK and verdict.repaired_layout.startswith(layout)
        assert bank.told()[0][1] == UPS
    else:
        assert verdict.severity is Severity.CHECK and bank.told() == []


# --- crashes and faults ---------------------------------------------------------------------


def test_a_crash_in_mid_pair_is_taken_up(bank: Bank) -> None:
    bank.scan(ITEM, SECOND)
    verdict = bank.reopened().recover()
    assert verdict is not None and f"{ITEM}, {SECOND} was scanned" in verdict.message
    assert bank.scan(UPS).message.startswith("2 items")
    assert [told[0] for told in bank.told()] == [ITEM, SECOND]


def test_a_crash_right_after_acceptance_asks_for_nothing(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    assert bank.reopened().recover() is None


def test_settling_forgets_what_is_accepted(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.bench.save_stale_parcel()
    rows = bank.store.read(lambda work: work.fetch_all("SELECT * FROM benches"))
    assert rows == []


def test_a_store_that_fails_is_a_stop(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.scan(ITEM)

    def full(*arguments: object) -> None:
        raise StoreError("The store failed: the disk is full.", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        verdict = bank.scan(UPS)
    assert verdict.severity is Severity.STOP
    assert verdict.message.startswith("NOT ACCEPTED, do not ship. The store failed: the disk is full")
    assert bank.told() == []
    bank.scan("CPCTLOK")
    assert bank.scan(UPS).severity is Severity.OK, "the item still waits for its label"


def test_an_item_that_cannot_be_kept_is_not_on_the_table(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise StoreError("The store failed: the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        assert bank.scan(ITEM).severity is Severity.STOP
    assert bank.bench.parcel == []


def test_news_interrupt_when_nothing_else_is_asked(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.pass_time(60)
    bank.deliver(lambda signals: DeliveryResult(Disposition.REFUSED, 400, "order canceled"))
    bank.scan(ISBN)
    bank.bench.interrupt_for(bank.entries()[0])
    assert bank.bench.pop_alert() is None
    bank.scan("CPCTLOK")
    alert = bank.bench.pop_alert()
    assert alert is not None and alert.severity is Severity.STOP
    assert f"PULL THE PARCEL of item {ITEM}: refused: order canceled" in alert.message
    assert bank.scan(SECOND).severity is Severity.STOP
    bank.scan("CPCTLOK")
    assert bank.scan(SECOND).severity is Severity.STEP


def test_a_refused_parcel_can_be_scanned_anew(bank: Bank) -> None:
    bank.scan(ITEM, UPS)
    bank.pass_time(60)
    bank.deliver(lambda signals: DeliveryResult(Disposition.REFUSED, 400, "order canceled"))
    assert bank.scan(ITEM, UPS).severity is Severity.OK


@pytest.mark.parametrize(("word", "code"), [("OK", "CPCTLOK"), ("stop", "CPCTLSTOP"), ("PAUSE", "CPCTLLOCK")])
def test_who_types_the_word_of_a_command_hears_its_code_and_nothing_is_answered(
    bank: Bank, word: str, code: str
) -> None:
    bank.scan(ITEM, ISBN)
    asked = bank.bench.question
    verdict = bank.scan(word)
    assert verdict.severity is Severity.CHECK
    assert f"or type {code}." in verdict.hint
    assert asked is not None
    assert bank.bench.question is asked


def test_who_types_the_word_of_a_command_in_place_of_a_label_still_has_the_item(bank: Bank) -> None:
    bank.scan(ITEM, "UNDO")
    assert bank.scan(UPS).severity is Severity.OK


def test_what_an_earlier_run_left_goes_into_no_parcel_by_itself(bank: Bank) -> None:
    bank.scan(ITEM)
    bank.reopened().recover()
    verdict = bank.scan(SECOND)
    assert verdict.severity is Severity.CHECK
    assert f"ITEM {ITEM} was here before" in verdict.message
    assert bank.scan("CPCTLNEXT").message == f"ITEM {SECOND} of order {ORDER}"
    bank.scan(UPS)
    assert bank.told() == [(SECOND, UPS, "UPS", "queued")]


def test_what_an_earlier_run_left_goes_into_one_parcel_with_the_next_if_that_is_said(bank: Bank) -> None:
    bank.scan(ITEM)
    bank.reopened().recover()
    bank.scan(SECOND, "CPCTLOK", UPS)
    assert [item for item, *_ in bank.told()] == [ITEM, SECOND]
    assert bank.scan(THIRD).severity is Severity.STEP


def test_what_an_earlier_run_left_is_asked_about_once(bank: Bank) -> None:
    bank.scan(ITEM)
    bank.reopened().recover()
    assert bank.scan(UPS).severity is Severity.OK
    assert bank.scan(SECOND).severity is Severity.STEP
