"""`cpctl webhooks serve`: what it is told, put together."""

import os
import shlex
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from cpctl.cli.run import Run
from cpctl.config.profiles import Profile, is_loopback, load_profile
from cpctl.config.secrets import ENV_NAMES, OLD_WEBHOOKS
from cpctl.errors import ConfigError, InvalidInput, nearest
from cpctl.output.files import write_private
from cpctl.signals.signal import shorten

if TYPE_CHECKING:
    from cpctl.delivery.store import Store
    from cpctl.webhooks.listener import Place
    from cpctl.webhooks.targets import Target

DEFAULT_PORT = 8100
_CONNECTIONS = 1000
# What systemd tells this process alone, and keys that a command has no use for.
_NOT_INHERITED = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "CREDENTIALS_DIRECTORY")
_WEBHOOK_KEYS = tuple(f"{ENV_NAMES[name]}{end}" for name in ("webhooks", OLD_WEBHOOKS) for end in ("", "_FILE"))


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
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Forward with the webhook key in the body, as it was received.")
    ] = False
    known_orders: Annotated[
        bool, typer.Option("--known-orders", help="Answer 204 for orders that this store does not know.")
    ] = False


def serve(run: Run, listening: Listening, handing: Handing) -> None:
    """Check all that was told, then receive until the process is told to end. Raises ConfigError, InvalidInput."""
    _require_library()
    from cpctl.webhooks.app import Rules
    from cpctl.webhooks.listener import bind
    from cpctl.webhooks.log import LOG_FORMATS, Log
    from cpctl.webhooks.receiver import Receiver, Surroundings
    from cpctl.webhooks.systemd import Notifier

    if listening.log_format not in LOG_FORMATS:
        raise InvalidInput(
            f'There is no log format "{listening.log_format}".', nearest(listening.log_format, LOG_FORMATS)
        )
    keys = WatchedKeys(run)
    place = _place(listening)
    targets = _targets(handing, keys)
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

    surroundings = Surroundings(lambda: _store(run), keys.read, is_ready, Notifier(run.environment))
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


class WatchedKeys:
    """The keys that are accepted: the webhook key, and the old one while it is being replaced.

    Read again when the configuration or a key file has changed, so that keys are replaced without a stop.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._files: Sequence[Path] = ()
        self._seen: Sequence[object] | None = None
        self._keys: Sequence[str] = ()

    def current(self) -> str:
        """The webhook key as it was last read."""
        return self._keys[0]

    def read(self) -> Sequence[str] | None:
        """The keys, or None where nothing has changed since they were last read. Raises ConfigError."""
        stamp = [_stamp(file) for file in self._files]
        if stamp == self._seen:
            return None
        run = self._run
        profile = load_profile(run.environment, run.options.config, run.options.profile, run.options.timeout)
        sources = [profile.key("webhooks"), *([old] if (old := profile.keys.get(OLD_WEBHOOKS)) else [])]
        self._files = _files_of(profile)
        self._seen = [_stamp(file) for file in self._files]
        keys = [source.read() for source in sources]
        for key in keys:
            run.hide_from_now_on(key)
        self._keys = [key.value for key in keys]
        return self._keys


def _files_of(profile: Profile) -> list[Path]:
    sources = [profile.keys.get(name) for name in ("webhooks", OLD_WEBHOOKS)]
    files = [source.value for source in sources if source is not None and isinstance(source.value, Path)]
    return [*files, *([profile.file] if profile.file else [])]


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _require_library() -> None:
    from importlib.util import find_spec

    if find_spec("uvicorn") is None:
        raise ConfigError(
            "`webhooks serve` needs the package uvicorn, which is not installed.",
            'Install it beside cpctl: pip install "cpctl[webhooks]", or: pipx inject cpctl uvicorn',
        )


def _place(listening: Listening) -> "Place":
    from cpctl.webhooks.listener import Place

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
    return Place(listening.host, listening.port, *files, listening.behind_proxy, listening.max_connections)


def _targets(handing: Handing, keys: "WatchedKeys") -> "list[Target]":
    from cpctl.webhooks.targets import Command, Forward

    key = keys.current if handing.with_key else None
    targets: list[Target] = [Forward(check_target_url(url), key) for url in handing.forward_to or ()]
    targets += [Command(_words(command), _inherited(), command) for command in handing.exec_ or ()]
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


def _inherited() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name not in (*_NOT_INHERITED, *_WEBHOOK_KEYS)}


def _store(run: Run) -> "Store":
    from cpctl.delivery.store import Store

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
