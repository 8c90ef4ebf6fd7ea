"""`cpctl signal scan`: the packing bench, at a terminal or over a pipe."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from threading import Lock

from cpctl.cli.context import Run
from cpctl.cli.signal_sender import make_sender
from cpctl.cli.time_args import parse_span
from cpctl.config.bench_settings import shop_of
from cpctl.errors import ConfigError, ExitCode, InvalidInput, nearest
from cpctl.outbox.outbox import Outbox
from cpctl.output.text import STAND_IN, wants_color
from cpctl.packing.background_sender import Courier, Turns
from cpctl.packing.controller import Bench
from cpctl.packing.event_loop import Display, End, FullScreen, Keys, Lines, Loop
from cpctl.packing.key_input import Event, Scan
from cpctl.packing.models import Level, Verdict
from cpctl.packing.scan_decoder import TEST, TEST_SIGNS, is_test, read_test
from cpctl.packing.screen import Look, verdict_line
from cpctl.packing.session import Session
from cpctl.packing.shop_rules import SCANNED, Rules
from cpctl.packing.sound import Sound
from cpctl.signals.signal import kind_in
from cpctl.signals.signal_types import KINDS

# A thread that sends may keep the interpreter no longer than this (seconds); a verdict waits for nobody.
SWITCH_SECONDS = 0.001
CHECK_SECONDS = 60.0
SUFFIXES = {"\\r": "Enter (CR)", "\\n": "Line Feed", "\\t": "Tab", "": "nothing"}


def scan(run: Run, kind: str, order: str, hold: str, sound: str) -> None:
    """Run a bench until it is told to end."""
    if run.options.dry_run:
        raise InvalidInput("`signal scan` has no dry run.", "Try it on the sandbox: `cpctl sandbox run -- bash`.")
    rules = _rules(run, kind, order, hold)
    turn = Lock()
    store = Turns(run.profile.store, lambda words: session.hear(words), turn)
    outbox = Outbox(store, run.profile.name)
    bench = Bench(outbox, rules, run.profile["operator"])
    session = Session(bench, outbox, rules.environment)
    write = _writer()
    loop_sound = Sound(sound, write if _is_terminal(sys.stdout) else _nowhere)
    session.begin()
    send, why_not = None, ""
    try:
        send = make_sender(run)
    except ConfigError as error:
        why_not = error.message
        run.output.warn(f"Nothing can be sent: {error.message} What is scanned is kept.")
    courier = Courier(run.profile.store, run.profile.name, rules.station, send, run.profile.timeout, turn, why_not)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # looking through all that is loaded would cost a verdict several ms
    courier.start()
    try:
        loop = Loop(session, courier, _display(run, session, write), loop_sound)
        end = loop.at_terminal(keyboard()) if _is_terminal(sys.stdin) else _over_lines(run, loop)
    finally:
        courier.stop()
    _leave(run, session, end)
    store.close()


def _rules(run: Run, kind: str, order: str, hold: str) -> Rules:
    """What the options and the profile say. Raises InvalidInput, ConfigError."""
    if kind not in SCANNED:
        raise InvalidInput(f'--type "{kind}" cannot be scanned.', nearest(kind, SCANNED))
    profile, shop = run.profile, shop_of(run.profile.shop)
    version = profile["signal_version"]
    name = next(row.name for row in KINDS.values() if row.command == kind)
    rules = Rules(
        kind=kind_in(name, version),
        version=version,
        station=profile["station"],
        environment=profile["environment"],
        carriers=shop.carriers,
        carrier_options=shop.carrier_options,
        shipping_option=profile["shipping_option"],
        item_pattern=shop.item_pattern,
        order_rule=shop.order_of_item.order_of if shop.order_of_item else None,
        badge_prefix=shop.badge_prefix,
        order=order,
        hold=parse_span(hold, "--hold").total_seconds(),
    )
    if rules.wants_option and not rules.shipping_option and not rules.carrier_options:
        raise InvalidInput(
            f"{name} needs a shipping option, and the profile names none.",
            f'Set shipping_option, or carrier_options, in the profile "{profile.name}".',
        )
    return rules


def _display(run: Run, session: Session, write: Callable[[str], None]) -> Display:
    if not _is_terminal(sys.stdout) or run.environment.get("TERM") == "dumb":
        return Lines(write, _as_json if run.options.output in ("json", "jsonl") else verdict_line)
    color = wants_color(run.options.color or "auto", True, run.environment)

    def look() -> Look:
        size = os.get_terminal_size(sys.stdout.fileno())
        return Look(size.columns or 80, size.lines or 24, color)

    return FullScreen(session, write, look)


def _as_json(verdict: Verdict) -> str:
    import json

    said = {"verdict": verdict.level, "code": verdict.code, "words": verdict.words, "more": verdict.more}
    ids = [str(key) for key in verdict.ids]
    return json.dumps({**said, "ids": ids, "repaired": verdict.repaired or None}, ensure_ascii=False)


def _writer() -> Callable[[str], None]:
    if sys.platform == "win32" and _is_terminal(sys.stdout):
        return _write_to_console
    fd, encoding = sys.stdout.fileno(), sys.stdout.encoding

    def write(text: str) -> None:
        data = text.encode(encoding, STAND_IN)
        while data:
            data = data[os.write(fd, data) :]

    return write


def _write_to_console(text: str) -> None:
    """Windows' console takes text; bytes it would read in a code page of its own."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _nowhere(text: str) -> None:
    """Bells that no terminal would ring."""


def keyboard() -> Keys:
    """The raw keyboard of this system."""
    if sys.platform == "win32":
        from cpctl.packing.windows_keys import WindowsKeys

        return WindowsKeys()
    else:  # noqa: RET505 - the type check for Windows leaves out only what stands in a branch
        from cpctl.packing.posix_keys import PosixKeys

        return PosixKeys(sys.stdin.fileno())


def _over_lines(run: Run, loop: Loop) -> End:
    if loop.over_lines(_lines()):
        run.status = ExitCode.CONFLICT
    return End.SAID


def _lines() -> Iterator[str]:
    """Lines of standard input: ended by LF, CR or TAB, each as soon as it is there."""
    from cpctl.packing.key_input import Splitter

    splitter = Splitter()
    while data := os.read(sys.stdin.fileno(), 65536):
        yield from (each.text for each in splitter.feed(data, 0.0) if isinstance(each, Scan))
    yield from (each.text for each in splitter.feed(b"\n", 0.0) if isinstance(each, Scan))


def _leave(run: Run, session: Session, end: End) -> None:
    session.refresh()
    run.worked = True
    run.accepted = session.waiting
    if end is End.HUNG_UP and sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)  # so that whoever started us sees what ended us
    run.output.note(session.summary())
    if session.refused:
        run.output.fail(f"cpctl: {session.refused} refused: `cpctl outbox list` shows them.")
        run.status = ExitCode.CONFLICT if not _is_terminal(sys.stdin) else run.status
    if end is not End.SAID:
        run.status = ExitCode.INTERRUPTED if end is End.INTERRUPTED else ExitCode.TERMINATED


def _is_terminal(stream: object) -> bool:
    try:
        return stream is not None and bool(stream.isatty())  # type: ignore[attr-defined]
    except ValueError:
        return False


# --- check ----------------------------------------------------------------------------------


def check(run: Run, sound: str) -> None:
    """Try scanner, suffix, layout and sound with the test code; say what to set."""
    write = _writer()
    heard = Sound(sound, write if _is_terminal(sys.stdout) else _nowhere)
    ask = f"Scan the test code of the sheet ({TEST}{TEST_SIGNS}; `cpctl signal sheet` prints it)."
    if _is_terminal(sys.stdin):
        with keyboard() as keys:
            run.output.note(ask)
            scan, half = _first(keys)
            problems = _problems(run, scan, half)
            for level in (Level.OK, Level.DONE, Level.STOP):
                run.output.note(f"Sound: {level}")
                heard.play(level)
                while (wait := heard.tick()) is not None:
                    keys.read(wait)
                keys.read(0.4)
    else:
        run.output.note(ask)
        text = next(_lines(), "")
        problems = _problems(run, Scan(text) if text else None, "")
        heard.play(Level.OK)
    if problems:
        raise InvalidInput(" ".join(problems), "Mend it, and check again.")
    run.output.note("Scanner, suffix and layout are right. One sound is OK, two are DONE, a row is STOP.")


def _first(keys: Keys) -> tuple[Scan | None, str]:
    """The first scan; or what came of it where nothing ended it."""
    import time

    until = time.monotonic() + CHECK_SECONDS
    while time.monotonic() < until:
        for each in keys.read(0.25):
            if isinstance(each, Scan):
                return each, ""
            if each in (Event.INTERRUPT, Event.TERMINATE, Event.HANGUP):
                raise KeyboardInterrupt
        if keys.half:
            return None, keys.half
    return None, ""


def _problems(run: Run, scan: Scan | None, half: str) -> list[str]:
    text = scan.text if scan else half
    if not text:
        return ["Nothing was scanned."]
    problems = []
    if scan is None:
        problems.append("The scanner sends nothing after a code: set its suffix to Enter (CR).")
    elif scan.suffix:
        run.output.note(f"Suffix: {SUFFIXES.get(scan.suffix, scan.suffix)}.")
    if not is_test(text):
        return [*problems, f"That was {text!r}, not the test code."]
    if scan is not None and scan.typed:
        problems.append("The characters come as slowly as typed ones: set the scanner's delay between them to 0.")
    reading = read_test(text)
    run.output.note(f"{reading.words} {reading.hint}".strip()) if reading.fine else problems.append(
        f"{reading.words} {reading.hint}"
    )
    return problems
