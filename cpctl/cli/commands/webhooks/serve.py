"""`cpctl webhooks serve`: what it is told, put together."""

import os
import shlex
import shutil
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from cpctl.cli.commands.webhooks.watched_keys import WatchedKeys
from cpctl.cli.context import Run
from cpctl.config.keys import ENV_NAMES, OLD_WEBHOOKS
from cpctl.config.profiles import is_loopback
from cpctl.errors import ConfigError, InvalidInput, nearest
from cpctl.output.private_files import write_private
from cpctl.signals.signal import shorten

if TYPE_CHECKING:
    from cpctl.store.store import Store
    from cpctl.webhooks.events.targets import Target
    from cpctl.webhooks.server.sockets import Place

DEFAULT_PORT = 8100
_CONNECTIONS = 1000
_REQUEST_SECONDS = 15.0
# No attempt may outlast its lease of two minutes.
_LONGEST_HANDOVER = 100.0
# What systemd tells this process alone, and keys that a command has no use for.
_NOT_INHERITED = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "CREDENTIALS_DIRECTORY")
_WEBHOOK_KEYS = tuple(f"{ENV_NAMES[name]}{end}" for name in ("webhooks", OLD_WEBHOOKS) for end in ("", "_FILE"))

# So long the last lines of the log may take at the end.
_LAST_LINES_SECONDS = 0.5


class Listening(NamedTuple):
    """Where to listen."""

    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0 for a free one.")
    ] = DEFAULT_PORT
    tls_cert: Annotated[
        str | None,
        typer.Option("--tls-cert", metavar="FILE", help="Certificate with its chain (PEM)."),
    ] = None
    tls_key: Annotated[str | None, typer.Option("--tls-key", metavar="FILE", help="Its key (PEM).")] = None
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front speaks TLS and says who sends.")
    ] = False
    max_connections: Annotated[
        int, typer.Option("--max-connections", metavar="N", min=1, help="More are asked to come back.")
    ] = _CONNECTIONS
    request_seconds: Annotated[
        float,
        typer.Option("--request-seconds", metavar="N", min=0.1, help="Senders that take or idle longer are cut."),
    ] = _REQUEST_SECONDS
    ready_file: Annotated[
        str | None, typer.Option("--ready-file", metavar="FILE", help="Written when it listens; holds its address.")
    ] = None
    log_format: Annotated[str, typer.Option("--log-format", metavar="FORM", help="text or json.")] = "text"
    public_status: Annotated[
        bool, typer.Option("--public-status", help="Show /health and /metrics to other machines, too.")
    ] = False


class Handing(NamedTuple):
    """What is taken, and where it goes."""

    forward_to: Annotated[
        list[str] | None, typer.Option("--forward-to", metavar="URL", help="Post each event there; repeatable.")
    ] = None
    exec_: Annotated[
        list[str] | None,
        typer.Option("--exec", metavar="COMMAND", help="Run this per event, JSON on its stdin; repeatable."),
    ] = None
    handover_seconds: Annotated[
        float | None,
        typer.Option(
            "--handover-seconds",
            metavar="N",
            min=0.1,
            max=_LONGEST_HANDOVER,
            help="Longest time for one hand-over; 10 for a URL and 60 for a command where not given.",
        ),
    ] = None
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Forward with the webhook key in the body, as it was received.")
    ] = False
    known_orders: Annotated[
        bool, typer.Option("--known-orders", help="Answer 204 for orders that this store does not know.")
    ] = False


def serve(run: Run, listening: Listening, handing: Handing) -> None:
    """Check all that was told, then receive until the process is told to end. Raises ConfigError, InvalidInput."""
    _require_library()
    from cpctl.webhooks.server.access_log import LOG_FORMATS, Log
    from cpctl.webhooks.server.app import Rules
    from cpctl.webhooks.server.receiver import Receiver, Surroundings
    from cpctl.webhooks.server.sockets import bind
    from cpctl.webhooks.server.systemd import Notifier

    if listening.log_format not in LOG_FORMATS:
        raise InvalidInput(
            f'There is no log format "{listening.log_format}".', nearest(listening.log_format, LOG_FORMATS)
        )
    keys = WatchedKeys(run)
    place = _place(listening)
    accepted = keys.read() or ()
    targets = _targets(handing, keys, accepted)
    rules = Rules(
        run.profile.name, [each.name for each in targets], handing.known_orders, public_status=listening.public_status
    )
    ready = Path(listening.ready_file) if listening.ready_file else None
    log = Log(lambda line, problem: (run.output.fail if problem else run.output.note)(line), listening.log_format)
    sockets: list[socket.socket] = []

    def is_ready() -> None:
        name, port = sockets[0].getsockname()[:2]
        address = f"{'https' if place.tls_cert else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"
        run.output.note(f'Receives webhooks for profile "{rules.profile}" on {address}. Ctrl-C stops it.')
        if ready:
            write_private(ready, f"{address}\n")

    surroundings = Surroundings(lambda: _store(run), accepted, keys.read, is_ready, Notifier(run.environment))
    receiver = Receiver(rules, place, targets, surroundings, log)
    if run.options.dry_run:
        run.output.note("Dry run: all that was told can be used; nothing listens.")
        return
    _insist_on_store(run)
    sockets = bind(place.host, place.port)
    _allow_connections(place.connections)
    try:
        receiver.run(sockets)
    finally:
        if ready:
            ready.unlink(missing_ok=True)
        if not log.stop(_LAST_LINES_SECONDS):
            # Nobody reads what we say; the way out must not wait for it.
            sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _require_library() -> None:
    try:
        import cpctl.webhooks.server.http_server  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ("uvicorn", "h11"):
            raise
        # Never by the name cpctl: package indexes have another program of that name.
        python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
        raise ConfigError(
            f"`webhooks serve` needs the package {error.name}, which is not installed.",
            f"Install it beside cpctl: {python} -m pip install uvicorn, or: pipx inject cpctl uvicorn",
        ) from error


def _place(listening: Listening) -> "Place":
    from cpctl.webhooks.server.sockets import Place

    cert, key = listening.tls_cert, listening.tls_key
    if key and not cert:
        raise InvalidInput("--tls-key is of no use without its certificate.", "Add --tls-cert.")
    local = is_loopback(listening.host)
    if not (cert or listening.behind_proxy or local):
        raise InvalidInput(
            f"On {listening.host} other machines would send their key in the open.",
            "Give --tls-cert and --tls-key, or --behind-proxy where a proxy in front speaks TLS.",
        )
    files = (Path(cert) if cert else None, Path(key) if key else None)
    return Place(
        listening.host,
        listening.port,
        *files,
        listening.behind_proxy,
        listening.max_connections,
        listening.request_seconds,
    )


def _targets(handing: Handing, keys: WatchedKeys, accepted: Sequence[str]) -> "list[Target]":
    from cpctl.webhooks.events.targets import COMMAND_SECONDS, FORWARD_SECONDS, Command, Forward

    for shown in (*(handing.forward_to or ()), *(handing.exec_ or ())):
        if any(key in shown for key in accepted):
            raise InvalidInput(
                "A target holds the webhook key, and the name of a target is shown in many places.",
                "Leave the key out; --with-key forwards it in the body.",
            )
    key = keys.current if handing.with_key else None
    seconds = handing.handover_seconds
    targets: list[Target] = [
        Forward(check_target_url(url), key, seconds or FORWARD_SECONDS) for url in handing.forward_to or ()
    ]
    targets += [
        Command(_words(command), _inherited(accepted), command, seconds or COMMAND_SECONDS)
        for command in handing.exec_ or ()
    ]
    names = [target.name for target in targets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"{twice} is named twice.", "Each target is told of every event once.")
    if handing.with_key and not handing.forward_to:
        raise InvalidInput("--with-key is about --forward-to, which is not given.", "Add --forward-to URL.")
    return targets


def check_target_url(url: str) -> str:
    """The URL, where events may be sent to it: https, or http no further than this machine. Raises InvalidInput."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = url.isascii() and url.isprintable() and " " not in url
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not (host and plain and safe) or "@" in parts.netloc:
        shown = shorten(url) if "@" not in url else "The address"  # what stands before an @ may be a password
        raise InvalidInput(
            f"{shown} is no URL to send events to.",
            "It must begin with https:// (http:// only for this machine) and hold no user and password.",
        )
    return url


def _words(command: str) -> list[str]:
    """A command as its words. Raises InvalidInput where it cannot be run."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InvalidInput(f"--exec {command}: {error}.", "Quote it as for a shell; none is used to run it.") from error
    if not words or shutil.which(words[0]) is None:
        raise InvalidInput(
            f'--exec "{command}": there is no such program, or it may not be run.',
            "Name a program with its path; for a line of shell: --exec 'sh -c \"…\"'.",
        )
    return words


def _inherited(keys: Iterable[str]) -> Mapping[str, str]:
    """The environment of a command: ours, without what is systemd's and without the webhook key in any variable."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in (*_NOT_INHERITED, *_WEBHOOK_KEYS) and not any(key in value for key in keys)
    }


def _store(run: Run) -> "Store":
    from cpctl.store.store import Store

    return Store(run.profile.store, run.output.warn)


def _insist_on_store(run: Run) -> None:
    """A receiver that can keep nothing does not start. Raises StoreError."""
    run.store.write(lambda work: None)
    run.store.close()


def _allow_connections(number: int) -> None:
    """Let this process have so many open files, as far as it may."""
    if sys.platform == "win32":  # it has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * number + 100
    if soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
