"""`cpctl signal scan`: the packing bench, at a terminal or over a pipe."""

import gc
import os
import signal
import sys
import time
from threading import Lock

from cpctl.cli.context import Context
from cpctl.cli.time_args import parse_duration
from cpctl.config.bench_settings import read_shop_settings
from cpctl.errors import ConfigError, ExitCode, InvalidInput, suggest
from cpctl.outbox.outbox import Outbox
from cpctl.output.text import is_terminal
from cpctl.packing import terminal
from cpctl.packing.background_sender import BackgroundSender, SerializedStore
from cpctl.packing.controller import Bench
from cpctl.packing.key_input import Keyboard, KeyEvent, Scan
from cpctl.packing.models import Severity
from cpctl.packing.scanned_codes import SCANNABLE_TYPES, TEST_CHARACTERS, TEST_PREFIX, ShopRules, check_test_code
from cpctl.packing.screen import format_verdict, verdict_to_json
from cpctl.packing.session import BenchSession
from cpctl.packing.sound import Sound
from cpctl.signals.signal import get_signal_type
from cpctl.signals.signal_types import SIGNAL_TYPES

SCANNER_CHECK_SECONDS = 60.0
SUFFIX_NAMES = {"\\r": "Enter (CR)", "\\n": "Line Feed", "\\t": "Tab"}
_READ_SECONDS = 0.25
_PAUSE_SECONDS = 0.4  # between two sounds
# The sending thread may hold the interpreter no longer than this (seconds), so that verdicts do not wait for it.
THREAD_SWITCH_SECONDS = 0.001


def run_bench(context: Context, short_type: str, order: str, hold: str, sound_choice: str) -> None:
    """Run a bench until the end of the shift or of the input. Raises InvalidInput, ConfigError, StoreError."""
    if context.options.dry_run:
        raise InvalidInput("`signal scan` has no dry run.", "Try it on the sandbox: `cpctl sandbox run -- bash`.")
    rules = _make_rules(context, short_type, order, hold)
    write_lock = Lock()
    store = SerializedStore(context.profile.store, lambda warning: session.receive(warning), write_lock)
    outbox = Outbox(store, context.profile.name)
    session = BenchSession(Bench(outbox, rules, context.profile["operator"]), outbox, rules.environment)
    write = terminal.make_writer()
    sound = Sound(sound_choice, terminal.make_bell(write))
    session.start()
    send, unavailable_reason = None, ""
    try:
        send = context.make_signal_sender()
    except ConfigError as error:
        unavailable_reason = error.message
        context.output.warn(f"Cannot send: {error.message} Scans are saved.")
    profile = context.profile
    sender = BackgroundSender(
        profile.store, profile.name, rules.station, send, profile.timeout, write_lock, unavailable_reason
    )
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    gc.freeze()  # collecting everything that is loaded would delay a verdict by several ms
    sender.start()
    try:
        format_line = verdict_to_json if context.options.output in ("json", "jsonl") else format_verdict
        color = context.options.color or "auto"
        display = terminal.make_display(session, write, format_line, color, context.environment)
        loop = terminal.BenchLoop(session, sender, display, sound)
        if is_terminal(sys.stdin):
            end = loop.run_at_terminal(terminal.open_keyboard())
        else:
            end = terminal.EndReason.FINISHED
            if loop.run_over_lines(terminal.read_lines()):
                context.exit_status = ExitCode.CONFLICT
    finally:
        sender.stop()
    _finish_session(context, session, end)
    store.close()


def _make_rules(context: Context, short_type: str, order: str, hold: str) -> ShopRules:
    """The rules from options and profile. Raises InvalidInput, ConfigError."""
    if short_type not in SCANNABLE_TYPES:
        raise InvalidInput(f'--type "{short_type}" cannot be scanned.', suggest(short_type, SCANNABLE_TYPES))
    profile, shop = context.profile, read_shop_settings(context.profile.shop_nodes)
    version = profile["signal_version"]
    name = next(row.name for row in SIGNAL_TYPES.values() if row.command == short_type)
    rules = ShopRules(
        signal_type=get_signal_type(name, version),
        api_version=version,
        station=profile["station"],
        environment=profile["environment"],
        carriers=shop.carriers,
        carrier_options=shop.carrier_options,
        shipping_option=profile["shipping_option"],
        item_pattern=shop.item_pattern,
        order_rule=shop.order_of_item.derive_order if shop.order_of_item else None,
        badge_prefix=shop.badge_prefix,
        order=order,
        hold_seconds=parse_duration(hold, "--hold").total_seconds(),
    )
    if rules.needs_shipping_option and not rules.shipping_option and not rules.carrier_options:
        raise InvalidInput(
            f"{name} needs a shipping option, but the profile has none.",
            f'Set shipping_option, or carrier_options, in the profile "{profile.name}".',
        )
    return rules


def _finish_session(context: Context, session: BenchSession, end: terminal.EndReason) -> None:
    session.refresh()
    context.is_work_done = True
    context.accepted_count = session.waiting_count
    if end is terminal.EndReason.HUNG_UP and sys.platform != "win32":
        # End by the signal itself, so that the parent process sees how the bench ended.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)
    context.output.note(session.summarize())
    if session.refused_count:
        context.output.error(f"cpctl: {session.refused_count} refused: `cpctl outbox list` shows them.")
        context.exit_status = ExitCode.CONFLICT if not is_terminal(sys.stdin) else context.exit_status
    if end is not terminal.EndReason.FINISHED:
        context.exit_status = ExitCode.INTERRUPTED if end is terminal.EndReason.INTERRUPTED else ExitCode.TERMINATED


# --- the scanner check ----------------------------------------------------------------------


def check_scanner(context: Context, sound_choice: str) -> None:
    """Read one scan of the test code and play the sounds; report what to set."""
    sound = Sound(sound_choice, terminal.make_bell(terminal.make_writer()))
    prompt = f"Scan the test code of the sheet ({TEST_PREFIX}{TEST_CHARACTERS}; `cpctl signal sheet` prints it)."
    if is_terminal(sys.stdin):
        with terminal.open_keyboard() as keyboard:
            context.output.note(prompt)
            problems = _find_problems(context, *_read_first_scan(keyboard))
            for severity in (Severity.OK, Severity.DONE, Severity.STOP):
                context.output.note(f"Sound: {severity}")
                sound.play(severity)
                while (wait_seconds := sound.ring_due_bells()) is not None:
                    keyboard.read(wait_seconds)
                keyboard.read(_PAUSE_SECONDS)
    else:
        context.output.note(prompt)
        text = next(terminal.read_lines(), "")
        problems = _find_problems(context, Scan(text) if text else None, "")
        sound.play(Severity.OK)
    if problems:
        raise InvalidInput(" ".join(problems), "Fix it, and check again.")
    context.output.note("Scanner, suffix and layout are right. One bell is OK, two are DONE, five are STOP.")


def _read_first_scan(keyboard: Keyboard) -> tuple[Scan | None, str]:
    """Return the first scan, or what arrived without a suffix."""
    deadline = time.monotonic() + SCANNER_CHECK_SECONDS
    while time.monotonic() < deadline:
        for scan_or_event in keyboard.read(_READ_SECONDS):
            if isinstance(scan_or_event, Scan):
                return scan_or_event, ""
            if scan_or_event in (KeyEvent.INTERRUPT, KeyEvent.TERMINATE, KeyEvent.HANGUP):
                raise KeyboardInterrupt
        if keyboard.partial_code:
            return None, keyboard.partial_code
    return None, ""


def _find_problems(context: Context, scan: Scan | None, partial_code: str) -> list[str]:
    text = scan.text if scan else partial_code
    if not text:
        return ["Nothing was scanned."]
    problems = []
    if scan is None:
        problems.append("The scanner sends nothing after a code: set its suffix to Enter (CR).")
    elif scan.suffix:
        context.output.note(f"Suffix: {SUFFIX_NAMES.get(scan.suffix, scan.suffix)}.")
    if (verdict := check_test_code(text)) is None:
        return [*problems, f"The scan was {text!r}, not the test code."]
    if scan is not None and scan.is_typed:
        problems.append("The characters arrive as slowly as typed ones: set the scanner's delay between them to 0.")
    message = f"{verdict.message} {verdict.hint}".strip()
    if verdict.severity is Severity.STEP:
        context.output.note(message)
    else:
        problems.append(message)
    return problems
