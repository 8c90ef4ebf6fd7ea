"""`cpctl signal scan`: the packing bench, at a terminal or over a pipe."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from threading import Lock

from cpctl.cli.context import Context
from cpctl.cli.time_args import parse_duration
from cpctl.config.bench_settings import read_shop_settings
from cpctl.errors import ConfigError, ExitCode, InvalidInput, suggest
from cpctl.outbox.outbox import Outbox
from cpctl.output.text import ENCODING_ERROR_HANDLER, wants_color
from cpctl.packing.background_sender import BackgroundSender, SerializedStore
from cpctl.packing.controller import Bench
from cpctl.packing.event_loop import BenchLoop, Display, EndReason, FullScreenDisplay, Keyboard, LineDisplay
from cpctl.packing.key_input import KeyEvent, Scan
from cpctl.packing.models import Severity, Verdict
from cpctl.packing.scan_decoder import TEST_CHARACTERS, TEST_PREFIX, check_test_code, is_test_code
from cpctl.packing.screen import ScreenStyle, format_verdict
from cpctl.packing.session import BenchSession
from cpctl.packing.shop_rules import SCANNABLE_TYPES, ShopRules
from cpctl.packing.sound import Sound
from cpctl.signals.signal import get_signal_type
from cpctl.signals.signal_types import SIGNAL_TYPES

# A thread that sends may keep the interpreter no longer than this (seconds); a verdict waits for nobody.
THREAD_SWITCH_SECONDS = 0.001
SCANNER_CHECK_SECONDS = 60.0
SUFFIX_NAMES = {"\\r": "Enter (CR)", "\\n": "Line Feed", "\\t": "Tab", "": "nothing"}


def run_bench(context: Context, short_type: str, order: str, hold: str, sound: str) -> None:
    """Run a bench until it is told to end."""
    if context.options.dry_run:
        raise InvalidInput("`signal scan` has no dry run.", "Try it on the sandbox: `cpctl sandbox run -- bash`.")
    rules = _make_rules(context, short_type, order, hold)
    turn = Lock()
    store = SerializedStore(context.profile.store, lambda words: session.receive(words), turn)
    outbox = Outbox(store, context.profile.name)
    bench = Bench(outbox, rules, context.profile["operator"])
    session = BenchSession(bench, outbox, rules.environment)
    write = _make_writer()
    loop_sound = Sound(sound, write if _is_terminal(sys.stdout) else _discard)
    session.start()
    send, why_not = None, ""
    try:
        send = context.make_signal_sender()
    except ConfigError as error:
        why_not = error.message
        context.output.warn(f"Nothing can be sent: {error.message} What is scanned is kept.")
    courier = BackgroundSender(
        context.profile.store, context.profile.name, rules.station, send, context.profile.timeout, turn, why_not
    )
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    gc.freeze()  # looking through all that is loaded would cost a verdict several ms
    courier.start()
    try:
        loop = BenchLoop(session, courier, _make_display(context, session, write), loop_sound)
        end = loop.run_at_terminal(open_keyboard()) if _is_terminal(sys.stdin) else _run_over_lines(context, loop)
    finally:
        courier.stop()
    _finish_session(context, session, end)
    store.close()


def _make_rules(context: Context, short_type: str, order: str, hold: str) -> ShopRules:
    """What the options and the profile say. Raises InvalidInput, ConfigError."""
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
            f"{name} needs a shipping option, and the profile names none.",
            f'Set shipping_option, or carrier_options, in the profile "{profile.name}".',
        )
    return rules


def _make_display(context: Context, session: BenchSession, write: Callable[[str], None]) -> Display:
    if not _is_terminal(sys.stdout) or context.environment.get("TERM") == "dumb":
        return LineDisplay(write, _verdict_to_json if context.options.output in ("json", "jsonl") else format_verdict)
    color = wants_color(context.options.color or "auto", True, context.environment)

    def read_style() -> ScreenStyle:
        size = os.get_terminal_size(sys.stdout.fileno())
        return ScreenStyle(size.columns or 80, size.lines or 24, color)

    return FullScreenDisplay(session, write, read_style)


def _verdict_to_json(verdict: Verdict) -> str:
    import json

    said = {"verdict": verdict.severity, "code": verdict.code, "words": verdict.message, "more": verdict.hint}
    ids = [str(key) for key in verdict.signal_ids]
    return json.dumps({**said, "ids": ids, "repaired": verdict.repaired_layout or None}, ensure_ascii=False)


def _make_writer() -> Callable[[str], None]:
    if sys.platform == "win32" and _is_terminal(sys.stdout):
        return _write_to_console
    fd, encoding = sys.stdout.fileno(), sys.stdout.encoding

    def write(text: str) -> None:
        data = text.encode(encoding, ENCODING_ERROR_HANDLER)
        while data:
            data = data[os.write(fd, data) :]

    return write


def _write_to_console(text: str) -> None:
    """Windows' console takes text; bytes it would read in a code page of its own."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _discard(text: str) -> None:
    """Bells that no terminal would ring."""


def open_keyboard() -> Keyboard:
    """The raw keyboard of this system."""
    if sys.platform == "win32":
        from cpctl.packing.windows_keys import WindowsKeyboard

        return WindowsKeyboard()
    else:  # noqa: RET505 - the type check for Windows leaves out only what stands in a branch
        from cpctl.packing.posix_keys import PosixKeyboard

        return PosixKeyboard(sys.stdin.fileno())


def _run_over_lines(context: Context, loop: BenchLoop) -> EndReason:
    if loop.run_over_lines(_read_lines()):
        context.exit_status = ExitCode.CONFLICT
    return EndReason.FINISHED


def _read_lines() -> Iterator[str]:
    """Lines of standard input: ended by LF, CR or TAB, each as soon as it is there."""
    from cpctl.packing.key_input import ScanDecoder

    splitter = ScanDecoder()
    while data := os.read(sys.stdin.fileno(), 65536):
        yield from (each.text for each in splitter.feed(data, 0.0) if isinstance(each, Scan))
    yield from (each.text for each in splitter.feed(b"\n", 0.0) if isinstance(each, Scan))


def _finish_session(context: Context, session: BenchSession, end: EndReason) -> None:
    session.refresh()
    context.is_work_done = True
    context.accepted_count = session.waiting_count
    if end is EndReason.HUNG_UP and sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)  # so that whoever started us sees what ended us
    context.output.note(session.summarize())
    if session.refused_count:
        context.output.error(f"cpctl: {session.refused_count} refused: `cpctl outbox list` shows them.")
        context.exit_status = ExitCode.CONFLICT if not _is_terminal(sys.stdin) else context.exit_status
    if end is not EndReason.FINISHED:
        context.exit_status = ExitCode.INTERRUPTED if end is EndReason.INTERRUPTED else ExitCode.TERMINATED


def _is_terminal(stream: object) -> bool:
    try:
        return stream is not None and bool(stream.isatty())  # type: ignore[attr-defined]
    except ValueError:
        return False


# --- check ----------------------------------------------------------------------------------


def check_scanner(context: Context, sound: str) -> None:
    """Try scanner, suffix, layout and sound with the test code; say what to set."""
    write = _make_writer()
    heard = Sound(sound, write if _is_terminal(sys.stdout) else _discard)
    ask = f"Scan the test code of the sheet ({TEST_PREFIX}{TEST_CHARACTERS}; `cpctl signal sheet` prints it)."
    if _is_terminal(sys.stdin):
        with open_keyboard() as keys:
            context.output.note(ask)
            scan, half = _read_first_scan(keys)
            problems = _find_problems(context, scan, half)
            for level in (Severity.OK, Severity.DONE, Severity.STOP):
                context.output.note(f"Sound: {level}")
                heard.play(level)
                while (wait := heard.ring_due_bells()) is not None:
                    keys.read(wait)
                keys.read(0.4)
    else:
        context.output.note(ask)
        text = next(_read_lines(), "")
        problems = _find_problems(context, Scan(text) if text else None, "")
        heard.play(Severity.OK)
    if problems:
        raise InvalidInput(" ".join(problems), "Mend it, and check again.")
    context.output.note("Scanner, suffix and layout are right. One sound is OK, two are DONE, a row is STOP.")


def _read_first_scan(keys: Keyboard) -> tuple[Scan | None, str]:
    """The first scan; or what came of it where nothing ended it."""
    import time

    until = time.monotonic() + SCANNER_CHECK_SECONDS
    while time.monotonic() < until:
        for each in keys.read(0.25):
            if isinstance(each, Scan):
                return each, ""
            if each in (KeyEvent.INTERRUPT, KeyEvent.TERMINATE, KeyEvent.HANGUP):
                raise KeyboardInterrupt
        if keys.partial_code:
            return None, keys.partial_code
    return None, ""


def _find_problems(context: Context, scan: Scan | None, unterminated_text: str) -> list[str]:
    text = scan.text if scan else unterminated_text
    if not text:
        return ["Nothing was scanned."]
    problems = []
    if scan is None:
        problems.append("The scanner sends nothing after a code: set its suffix to Enter (CR).")
    elif scan.suffix:
        context.output.note(f"Suffix: {SUFFIX_NAMES.get(scan.suffix, scan.suffix)}.")
    if not is_test_code(text):
        return [*problems, f"That was {text!r}, not the test code."]
    if scan is not None and scan.is_typed:
        problems.append("The characters come as slowly as typed ones: set the scanner's delay between them to 0.")
    reading = check_test_code(text)
    context.output.note(f"{reading.message} {reading.hint}".strip()) if reading.is_ok else problems.append(
        f"{reading.message} {reading.hint}"
    )
    return problems
