"""`cpctl webhooks serve`: check the options, then receive until the process is stopped."""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cpctl.cli.commands.webhooks.target_options import DeliveryOptions, make_targets
from cpctl.cli.context import Context
from cpctl.config.keys import OLD_WEBHOOKS_SERVICE, Key
from cpctl.config.profiles import Profile, load_profile
from cpctl.errors import ConfigError, InvalidInput, suggest
from cpctl.files import address_file
from cpctl.net import is_loopback
from cpctl.webhooks.server.server_settings import REQUEST_SECONDS, ServerSettings, ServerTimes

DEFAULT_PORT = 8100


class ServerOptions(NamedTuple):
    """Where to listen, and what to show."""

    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0 for a free one.")
    ] = DEFAULT_PORT
    tls_cert: Annotated[str | None, typer.Option(metavar="FILE", help="TLS certificate with its chain (PEM).")] = None
    tls_key: Annotated[str | None, typer.Option(metavar="FILE", help="Private key of the certificate (PEM).")] = None
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="Trust a local proxy to handle TLS and name the sender.")
    ] = False
    max_connections: Annotated[
        int, typer.Option(metavar="N", min=1, help="Maximum concurrent connections; beyond it, requests get 503.")
    ] = 1000
    request_seconds: Annotated[
        float, typer.Option(metavar="N", min=0.1, help="Close connections that are slow or idle for this long.")
    ] = REQUEST_SECONDS
    ready_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the address to this file once the server listens.")
    ] = None
    log_format: Annotated[str, typer.Option(metavar="FORM", help="Format of the log: text or json.")] = "text"
    public_status: Annotated[
        bool, typer.Option("--public-status", help="Show /health and /metrics to other machines, too.")
    ] = False


def serve(
    context: Context,
    server_options: ServerOptions,
    delivery_options: DeliveryOptions,
    times: ServerTimes = ServerTimes(),  # noqa: B008
) -> None:
    """Check the options, then receive until a signal to stop. Raises ConfigError, InvalidInput, StoreError."""
    _require_server_packages()
    from cpctl.store.store import Store
    from cpctl.webhooks.server.access_log import LOG_FORMATS, AccessLog
    from cpctl.webhooks.server.app import ReceiverRules
    from cpctl.webhooks.server.http_server import bind_sockets
    from cpctl.webhooks.server.receiver import Dependencies, Notifier, Receiver

    log_format = server_options.log_format
    if log_format not in LOG_FORMATS:
        raise InvalidInput(f'Unknown log format "{log_format}".', suggest(log_format, LOG_FORMATS))
    keys = WatchedKeys(context)
    settings = _make_settings(server_options, times)
    accepted_keys = keys.read_if_changed() or ()
    targets = make_targets(delivery_options, keys.current_key, accepted_keys)
    names, known_orders = [target.name for target in targets], delivery_options.known_orders
    rules = ReceiverRules(context.profile.name, names, known_orders, server_options.public_status)
    output = context.output
    log = AccessLog(lambda line, is_problem: (output.error if is_problem else output.note)(line), log_format)
    sockets: list[socket.socket] = []
    with address_file(server_options.ready_file) as write_address:

        def announce_ready() -> None:
            name, port = sockets[0].getsockname()[:2]
            host = f"[{name}]" if ":" in name else name
            address = f"{'https' if settings.tls_cert else 'http'}://{host}:{port}"
            context.output.note(f'Receiving webhooks for profile "{rules.profile}" on {address}. Ctrl-C stops it.')
            write_address(address)

        make_store, notifier = lambda: Store(context.profile.store, output.warn), Notifier(context.environment)
        dependencies = Dependencies(make_store, accepted_keys, keys.read_if_changed, announce_ready, notifier)
        receiver = Receiver(rules, settings, targets, dependencies, log)
        if context.options.dry_run:
            context.output.note("Dry run: the configuration is valid; the server was not started.")
            return
        context.store.write(lambda transaction: None)  # fails now if the store is not writable
        context.store.close()
        sockets = bind_sockets(settings.host, settings.port)
        _raise_open_file_limit(settings.max_connections)
        try:
            receiver.run(sockets)
        finally:
            if not log.stop(timeout_seconds=0.5):
                # Nobody reads the log. The interpreter flushes stderr at exit, which would block.
                sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _require_server_packages() -> None:
    try:
        import cpctl.webhooks.server.http_server  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ("uvicorn", "h11"):
            raise
        # Not by the name cpctl: package indexes have another program of that name.
        python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
        raise ConfigError(
            f"`webhooks serve` needs the package {error.name}, which is not installed.",
            f"Install it beside cpctl: {python} -m pip install uvicorn, or: pipx inject cpctl uvicorn",
        ) from error


def _make_settings(options: ServerOptions, times: ServerTimes) -> ServerSettings:
    if options.tls_key and not options.tls_cert:
        raise InvalidInput("--tls-key needs --tls-cert.", "Add --tls-cert.")
    if not (options.tls_cert or options.behind_proxy or is_loopback(options.host)):
        raise InvalidInput(
            f"Cannot listen on {options.host} without TLS: other machines would send their key unencrypted.",
            "Give --tls-cert and --tls-key, or --behind-proxy if a proxy on this machine handles TLS.",
        )
    cert, key = (Path(file) if file else None for file in (options.tls_cert, options.tls_key))
    limits = (options.behind_proxy, options.max_connections, options.request_seconds)
    return ServerSettings(options.host, options.port, cert, key, *limits, times)


def _raise_open_file_limit(connection_count: int) -> None:
    if sys.platform == "win32":  # it has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connection_count + 100
    if soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


class WatchedKeys:
    """The webhook key, and the old one while it is replaced; read again when the files they come from change."""

    def __init__(self, context: Context) -> None:
        self._context, self._profile = context, ""
        self._file_stamps: Mapping[Path, object] = {}
        self._keys: Sequence[str] = ()

    def current_key(self) -> str:
        return self._keys[0]

    def read_if_changed(self) -> Sequence[str] | None:
        """The keys, or None if they have not changed since they were last read. Raises ConfigError."""
        before = {file: _file_stamp(file) for file in self._file_stamps}
        if self._keys and before == self._file_stamps:
            return None
        profile = self._load()
        old = profile.keys.get(OLD_WEBHOOKS_SERVICE)
        sources = [profile.key_source("webhooks"), *([old] if old else [])]
        values = [source.read().value for source in sources]
        for value in values:
            self._context.add_masked_key(Key(value))
            self._context.add_masked_key(Key(json.dumps(value)[1:-1]))
        files = [file for file in (profile.file, *(source.value for source in sources)) if isinstance(file, Path)]
        # Stamps from before the keys were read: a file that changed in between is read again the next time.
        self._file_stamps = {file: before.get(file, "never read") for file in files}
        is_changed, self._keys = values != self._keys, values
        return values if is_changed else None

    def _load(self) -> Profile:
        options = self._context.options
        profile = load_profile(self._context.environment, options.config, options.profile, options.timeout)
        if self._profile and profile.name != self._profile:
            raise ConfigError(
                f'The default profile changed from "{self._profile}" to "{profile.name}".',
                "Restart the receiver with --profile.",
            )
        self._profile = profile.name
        return profile


def _file_stamp(file: Path) -> object:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
