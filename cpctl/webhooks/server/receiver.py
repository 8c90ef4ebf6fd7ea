"""A receiver of webhooks, from start to graceful stop: server, writer, delivery workers, health checks."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from cpctl.clock import format_iso, now_ms
from cpctl.errors import ConfigError, StoreError
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events.deliveries import Backlog, read_backlogs
from cpctl.webhooks.events.event import Event
from cpctl.webhooks.events.event_search import find_last_received_ms
from cpctl.webhooks.events.event_store import StoredEvent, is_known_order, record_heartbeat, store_events
from cpctl.webhooks.events.targets import DeliveryWorker, Target
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.app import App, ReceiverRules
from cpctl.webhooks.server.http_server import Certificate, HttpServer
from cpctl.webhooks.server.metrics import ReceiverMetrics
from cpctl.webhooks.server.server_settings import ServerSettings
from cpctl.webhooks.server.writer import STUCK_SECONDS, QueueFull, Writer

HEARTBEAT_SECONDS = 30.0
_PROBE_TIMEOUT_SECONDS = 5.0
# Requests for /health share the result of a write probe for this long, so that they cause few commits.
_PROBE_CACHE_SECONDS = 1.0


class Notifier:
    """Notifies systemd, if it is there (sd_notify(3)). `watchdog_seconds` is None without a watchdog."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        microseconds = environment.get("WATCHDOG_USEC", "")
        is_number = microseconds.isdigit() and int(microseconds)
        self.watchdog_seconds = int(microseconds) / 2_000_000 if is_number else None

    def notify(self, *lines: str) -> None:
        """Send lines such as READY=1. Errors are ignored: the receiver works without systemd."""
        family = getattr(socket, "AF_UNIX", None)
        if not self._address or family is None:
            return
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.connect(self._address)
            sender.send("\n".join(lines).encode())


class Dependencies(NamedTuple):
    """What a receiver needs. `read_keys` returns the keys if they changed since its last call; raises ConfigError."""

    make_store: Callable[[], Store]
    keys: Sequence[str]
    read_keys: Callable[[], Sequence[str] | None]
    on_ready: Callable[[], None]
    notifier: Notifier
    stuck_seconds: float = STUCK_SECONDS  # the watchdog of systemd ends a receiver whose writer takes longer


class Receiver:
    """Receives webhooks until the process gets a signal to stop."""

    def __init__(
        self,
        rules: ReceiverRules,
        settings: ServerSettings,
        targets: Sequence[Target],
        dependencies: Dependencies,
        log: AccessLog,
    ) -> None:
        self._rules, self._dependencies, self._log, self._times = rules, dependencies, log, settings.times
        self._keys = dependencies.keys
        self._key_problem = ""
        self._metrics = ReceiverMetrics()
        self._writer = Writer(dependencies.make_store, self._store_events, dependencies.stuck_seconds)
        self._certificate = Certificate(settings.tls_cert, settings.tls_key) if settings.tls_cert else None
        self._workers = [
            DeliveryWorker(target, rules.profile, self._writer, dependencies.make_store, log, self._metrics)
            for target in targets
        ]
        app = App(rules, lambda: self._keys, self._writer, self._metrics, log, self._health, self._metrics_text)
        app.on_stored = self._wake_workers
        self._server = HttpServer(
            app, settings, self._certificate, self._announce_ready, self._begin_shutdown, self._log_error
        )
        self._stopping = threading.Event()
        self._deadline = float("inf")  # of the monotonic clock
        self._last_probe = (float("-inf"), False)
        # Its threads are not joined at the end: a locked store must not keep the process alive.
        self._read_pool = ThreadPoolExecutor(2, "webhooks-read")

    def run(self, sockets: list[socket.socket]) -> None:
        """Receive until a signal to stop, then end within 10 s and raise what the signal raises."""
        with contextlib.closing(self._dependencies.make_store()) as store:
            self._metrics.last_event_at = (find_last_received_ms(store, self._rules.profile) or 0) / 1000
        self._writer.start()
        for worker in self._workers:
            worker.start()
        threading.Thread(target=self._watch_keys, name="webhooks-keys", daemon=True).start()
        try:
            asyncio.run(self._serve(sockets))
        finally:
            self._shut_down()

    def _shut_down(self) -> None:
        self._begin_shutdown()
        deadline = min(self._deadline, time.monotonic() + self._times.worker_stop)
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join(deadline)
        # The writer last: it records the outcome of the deliveries that have just ended.
        self._writer.stop(max(deadline, time.monotonic() + 0.5))
        self._read_pool.shutdown(wait=False, cancel_futures=True)

    def _begin_shutdown(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self._deadline = time.monotonic() + self._times.stop
            self._dependencies.notifier.notify("STOPPING=1")

    def _log_error(self, reason: str) -> None:
        self._log.write_refusal("server error", {"reason": reason})

    async def _serve(self, sockets: list[socket.socket]) -> None:
        tasks = [asyncio.create_task(self._check_periodically()), asyncio.create_task(self._send_heartbeats())]
        try:
            await self._server.serve(sockets)
        finally:
            for task in tasks:
                task.cancel()

    def _announce_ready(self) -> None:
        self._dependencies.on_ready()
        self._dependencies.notifier.notify("READY=1", f"STATUS=Receiving webhooks for profile {self._rules.profile}")

    def _wake_workers(self) -> None:
        for worker in self._workers:
            worker.wake()

    def _store_events(self, transaction: Transaction, events: list[Event]) -> list[StoredEvent | None]:
        rules, now = self._rules, now_ms()
        wanted = [not rules.known_orders or is_known_order(transaction, rules.profile, event) for event in events]
        known = [event for event, is_wanted in zip(events, wanted, strict=True) if is_wanted]
        stored = iter(store_events(transaction, rules.profile, known, rules.targets, now) if known else ())
        return [next(stored) if is_wanted else None for is_wanted in wanted]

    async def _check_periodically(self) -> None:
        """Notify systemd's watchdog while the writer is healthy, and reload a changed certificate."""
        notifier, next_notification = self._dependencies.notifier, 0.0
        while True:
            now = time.monotonic()
            if notifier.watchdog_seconds and now >= next_notification and self._writer.is_healthy:
                next_notification = now + notifier.watchdog_seconds
                notifier.notify("WATCHDOG=1")
            if self._certificate is not None and (message := self._certificate.reload_if_changed()):
                self._log.write(message, {}, is_problem="not renewed" in message)
            await asyncio.sleep(min(self._times.check, notifier.watchdog_seconds or self._times.check))

    async def _send_heartbeats(self) -> None:
        while True:
            await self._probe_store()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _watch_keys(self) -> None:
        """Read changed keys. This is a thread because a key may come from a slow command."""
        while not self._stopping.wait(self._times.check):
            try:
                keys = self._dependencies.read_keys()
            except ConfigError as error:
                if error.message != self._key_problem:
                    self._key_problem = error.message
                    message = "keys not reloaded, the old ones stay in use"
                    self._log.write(message, {"reason": error.message}, is_problem=True)
                continue
            self._key_problem = ""
            if keys is not None:
                self._keys = keys
                self._log.write("keys reloaded", {"accepted": len(keys)})

    async def _probe_store(self) -> bool:
        probed_at, is_writable = self._last_probe
        if time.monotonic() - probed_at <= _PROBE_CACHE_SECONDS:
            return is_writable
        profile, now = self._rules.profile, now_ms()
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
                await self._writer.write(lambda transaction: record_heartbeat(transaction, profile, now))
            is_writable = True
        except (StoreError, QueueFull, TimeoutError):
            is_writable = False
        self._last_probe = (time.monotonic(), is_writable)
        return is_writable

    async def _health(self) -> Mapping[str, Any]:
        writable = await self._probe_store()
        last = self._metrics.last_event_at
        return {
            "status": "ok" if writable else "failing",
            "profile": self._rules.profile,
            "store_writable": writable,
            "last_event": format_iso(int(last * 1000)) if last else None,
            "targets": [backlog.as_json(now_ms()) for backlog in await self._backlogs()],
        }

    async def _metrics_text(self) -> str:
        backlogs = await self._backlogs()
        return self._metrics.render(backlogs, self._writer.commit_count, self._server.connection_count)

    async def _backlogs(self) -> list[Backlog]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._read_pool, self._read_backlogs)
        except StoreError:
            return []

    def _read_backlogs(self) -> list[Backlog]:
        with contextlib.closing(self._dependencies.make_store()) as store:
            return read_backlogs(store, self._rules.profile, self._rules.targets)
