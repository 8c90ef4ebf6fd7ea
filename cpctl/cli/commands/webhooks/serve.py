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
from cpctl.cli.context import Context
from cpctl.config.keys import KEY_VARIABLES, OLD_WEBHOOKS_SERVICE
from cpctl.errors import ConfigError, InvalidInput, suggest
from cpctl.files import write_private
from cpctl.net import is_loopback
from cpctl.signals.signal import quote_value

if TYPE_CHECKING:
    from cpctl.store.store import Store
    from cpctl.webhooks.events.targets import Target
    from cpctl.webhooks.server.sockets import ServerSettings

DEFAULT_PORT = 8100
_DEFAULT_MAX_CONNECTIONS = 1000
_DEFAULT_REQUEST_SECONDS = 15.0
# No attempt may outlast its lease of two minutes.
_MAX_DELIVERY_SECONDS = 100.0
# What systemd tells this process alone, and keys that a command has no use for.
_SYSTEMD_VARIABLES = (
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "CREDENTIALS_DIRECTORY",
)
_WEBHOOK_KEY_VARIABLES = tuple(
    f"{KEY_VARIABLES[name]}{end}" for name in ("webhooks", OLD_WEBHOOKS_SERVICE) for end in ("", "_FILE")
)

# So long the last lines of the log may take at the end.
_LOG_FLUSH_SECONDS = 0.5


class ServerOptions(NamedTuple):
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
    ] = _DEFAULT_MAX_CONNECTIONS
    request_seconds: Annotated[
        float,
        typer.Option("--request-seconds", metavar="N", min=0.1, help="Senders that take or idle longer are cut."),
    ] = _DEFAULT_REQUEST_SECONDS
    ready_file: Annotated[
        str | None, typer.Option("--ready-file", metavar="FILE", help="Written when it listens; holds its address.")
    ] = None
    log_format: Annotated[str, typer.Option("--log-format", metavar="FORM", help="text or json.")] = "text"
    public_status: Annotated[
        bool, typer.Option("--public-status", help="Show /health and /metrics to other machines, too.")
    ] = False


class DeliveryOptions(NamedTuple):
    """What is taken, and where it goes."""

    forward_to: Annotated[
        list[str] | None, typer.Option("--forward-to", metavar="URL", help="Post each event there; repeatable.")
    ] = None
    exec_commands: Annotated[
        list[str] | None,
        typer.Option("--exec", metavar="COMMAND", help="Run this per event, JSON on its stdin; repeatable."),
    ] = None
    delivery_seconds: Annotated[
        float | None,
        typer.Option(
            "--handover-seconds",
            metavar="N",
            min=0.1,
            max=_MAX_DELIVERY_SECONDS,
            help="Longest time for one hand-over; 10 for a URL and 60 for a command where not given.",
        ),
    ] = None
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Forward with the webhook key in the body, as it was received.")
    ] = False
    known_orders: Annotated[
        bool, typer.Option("--known-orders", help="Answer 204 for orders that this store does not know.")
    ] = False


def serve(context: Context, server_options: ServerOptions, delivery_options: DeliveryOptions) -> None:
    """Check all that was told, then receive until the process is told to end. Raises ConfigError, InvalidInput."""
    _require_server_packages()
    from cpctl.webhooks.server.access_log import LOG_FORMATS, AccessLog
    from cpctl.webhooks.server.app import ReceiverRules
    from cpctl.webhooks.server.receiver import Dependencies, Receiver
    from cpctl.webhooks.server.sockets import bind_sockets
    from cpctl.webhooks.server.systemd import Notifier

    if server_options.log_format not in LOG_FORMATS:
        raise InvalidInput(
            f'There is no log format "{server_options.log_format}".', suggest(server_options.log_format, LOG_FORMATS)
        )
    keys = WatchedKeys(context)
    place = _check_server_options(server_options)
    accepted = keys.read_if_changed() or ()
    targets = _make_targets(delivery_options, keys, accepted)
    rules = ReceiverRules(
        context.profile.name,
        [each.name for each in targets],
        delivery_options.known_orders,
        public_status=server_options.public_status,
    )
    ready = Path(server_options.ready_file) if server_options.ready_file else None
    log = AccessLog(
        lambda line, problem: (context.output.error if problem else context.output.note)(line),
        server_options.log_format,
    )
    sockets: list[socket.socket] = []

    def announce_ready() -> None:
        name, port = sockets[0].getsockname()[:2]
        address = f"{'https' if place.tls_cert else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"
        context.output.note(f'Receives webhooks for profile "{rules.profile}" on {address}. Ctrl-C stops it.')
        if ready:
            write_private(ready, f"{address}\n")

    surroundings = Dependencies(
        lambda: _open_store(context), accepted, keys.read_if_changed, announce_ready, Notifier(context.environment)
    )
    receiver = Receiver(rules, place, targets, surroundings, log)
    if context.options.dry_run:
        context.output.note("Dry run: all that was told can be used; nothing listens.")
        return
    _require_writable_store(context)
    sockets = bind_sockets(place.host, place.port)
    _raise_open_file_limit(place.max_connections)
    try:
        receiver.run(sockets)
    finally:
        if ready:
            ready.unlink(missing_ok=True)
        if not log.stop(_LOG_FLUSH_SECONDS):
            # Nobody reads what we say; the way out must not wait for it.
            sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _require_server_packages() -> None:
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


def _check_server_options(options: ServerOptions) -> "ServerSettings":
    from cpctl.webhooks.server.sockets import ServerSettings

    cert, key = options.tls_cert, options.tls_key
    if key and not cert:
        raise InvalidInput("--tls-key is of no use without its certificate.", "Add --tls-cert.")
    local = is_loopback(options.host)
    if not (cert or options.behind_proxy or local):
        raise InvalidInput(
            f"On {options.host} other machines would send their key in the open.",
            "Give --tls-cert and --tls-key, or --behind-proxy where a proxy in front speaks TLS.",
        )
    files = (Path(cert) if cert else None, Path(key) if key else None)
    return ServerSettings(
        options.host,
        options.port,
        *files,
        options.behind_proxy,
        options.max_connections,
        options.request_seconds,
    )


def _make_targets(options: DeliveryOptions, keys: WatchedKeys, accepted_keys: Sequence[str]) -> "list[Target]":
    from cpctl.webhooks.events.targets import (
        COMMAND_TIMEOUT_SECONDS,
        FORWARD_TIMEOUT_SECONDS,
        CommandTarget,
        ForwardTarget,
    )

    for shown in (*(options.forward_to or ()), *(options.exec_commands or ())):
        if any(key in shown for key in accepted_keys):
            raise InvalidInput(
                "A target holds the webhook key, and the name of a target is shown in many places.",
                "Leave the key out; --with-key forwards it in the body.",
            )
    key = keys.current_key if options.with_key else None
    seconds = options.delivery_seconds
    targets: list[Target] = [
        ForwardTarget(check_target_url(url), key, seconds or FORWARD_TIMEOUT_SECONDS)
        for url in options.forward_to or ()
    ]
    targets += [
        CommandTarget(
            _split_command(command), _child_environment(accepted_keys), command, seconds or COMMAND_TIMEOUT_SECONDS
        )
        for command in options.exec_commands or ()
    ]
    names = [target.name for target in targets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"{twice} is named twice.", "Each target is told of every event once.")
    if options.with_key and not options.forward_to:
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
        shown = quote_value(url) if "@" not in url else "The address"  # what stands before an @ may be a password
        raise InvalidInput(
            f"{shown} is no URL to send events to.",
            "It must begin with https:// (http:// only for this machine) and hold no user and password.",
        )
    return url


def _split_command(command: str) -> list[str]:
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


def _child_environment(keys: Iterable[str]) -> Mapping[str, str]:
    """The environment of a command: ours, without what is systemd's and without the webhook key in any variable."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in (*_SYSTEMD_VARIABLES, *_WEBHOOK_KEY_VARIABLES) and not any(key in value for key in keys)
    }


def _open_store(context: Context) -> "Store":
    from cpctl.store.store import Store

    return Store(context.profile.store, context.output.warn)


def _require_writable_store(context: Context) -> None:
    """A receiver that can keep nothing does not start. Raises StoreError."""
    context.store.write(lambda work: None)
    context.store.close()


def _raise_open_file_limit(number: int) -> None:
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
