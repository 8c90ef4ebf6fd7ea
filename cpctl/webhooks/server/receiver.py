"""A receiver of webhooks, whole: store, answers, targets, signs of life; from its start to its graceful stop."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from cpctl.clock import format_iso, from_ms, now_ms
from cpctl.errors import ConfigError, StoreError
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events.deliveries import Backlog, read_backlogs
from cpctl.webhooks.events.delivery_worker import DeliveryWorker
from cpctl.webhooks.events.event import Event
from cpctl.webhooks.events.event_store import StoredEvent, find_last_received_ms, is_known_order, store_events
from cpctl.webhooks.events.targets import Target
from cpctl.webhooks.server.access_log import AccessLog
from cpctl.webhooks.server.app import App, ReceiverRules
from cpctl.webhooks.server.http_server import HttpServer, ServerCallbacks
from cpctl.webhooks.server.metrics import ReceiverMetrics
from cpctl.webhooks.server.sockets import Certificate, ServerSettings
from cpctl.webhooks.server.systemd import Notifier
from cpctl.webhooks.server.writer import QueueFull, Writer

# Keys and certificates are looked at so often; the store is told that we live so often.
CHECK_SECONDS = 1.0
HEARTBEAT_SECONDS = 30.0
_PROBE_TIMEOUT_SECONDS = 5.0
# So long an outcome of a probe is good for: whoever asks for /health again and again makes no more commits.
_PROBE_CACHE_SECONDS = 1.0
# From the signal to the end, at most.
SHUTDOWN_SECONDS = 8.5
_WORKER_STOP_SECONDS = 3.0


class Dependencies(NamedTuple):
    """What a receiver is handed by the one who starts it.

    `keys` are accepted at first; `read_keys` gives those that are accepted from then on, or None where
    nothing has changed since it was last asked; it raises ConfigError. `ready` is called once it listens.
    """

    make_store: Callable[[], Store]
    keys: Sequence[str]
    read_keys: Callable[[], Sequence[str] | None]
    on_ready: Callable[[], None]
    notifier: Notifier


class Receiver:
    """Receives webhooks until the process is told to end."""

    def __init__(
        self,
        rules: ReceiverRules,
        settings: ServerSettings,
        targets: Sequence[Target],
        dependencies: Dependencies,
        log: AccessLog,
    ) -> None:
        """Raises ConfigError for a certificate that cannot be used."""
        self._rules, self._dependencies, self._log = rules, dependencies, log
        self._keys = dependencies.keys
        self._key_problem = ""
        self._metrics = ReceiverMetrics()
        self._writer = Writer(dependencies.make_store, self._store_events)
        self._certificate = Certificate(settings.tls_cert, settings.tls_key) if settings.tls_cert else None
        self._workers = [
            DeliveryWorker(target, rules.profile, self._writer, dependencies.make_store, log, self._metrics)
            for target in targets
        ]
        app = App(rules, lambda: self._keys, self._writer, self._metrics, log, self._health, self._metrics_text)
        app.on_stored = self._wake_workers
        self._server = HttpServer(
            app,
            settings,
            self._certificate,
            ServerCallbacks(self._announce_ready, self._begin_shutdown, self._log_error),
        )
        self._stopping = threading.Event()
        self._deadline = float("inf")  # of the monotonic clock
        self._last_probe = (float("-inf"), False)
        # Its threads are not waited for at the end: a store that is locked must not keep the process.
        self._read_pool = ThreadPoolExecutor(2, "webhooks-look")

    def run(self, sockets: list[socket.socket]) -> None:
        """Receive. Ends when the process is told to, with what that raises; within 10 s, and with all that was said."""
        self._load_last_event()
        self._writer.start()
        for courier in self._workers:
            courier.start()
        threading.Thread(target=self._watch_keys, name="webhooks-keys", daemon=True).start()
        try:
            asyncio.run(self._serve(sockets))
        finally:
            self._shut_down()

    def _shut_down(self) -> None:
        self._begin_shutdown()
        deadline = min(self._deadline, time.monotonic() + _WORKER_STOP_SECONDS)
        for courier in self._workers:
            courier.stop()
        for courier in self._workers:
            courier.join(deadline)
        self._writer.stop(max(deadline, time.monotonic() + 0.5))
        self._read_pool.shutdown(wait=False, cancel_futures=True)

    def _begin_shutdown(self) -> None:
        """The process was told to end."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._deadline = time.monotonic() + SHUTDOWN_SECONDS
            self._dependencies.notifier.notify("STOPPING=1")

    def _log_error(self, reason: str) -> None:
        self._log.write_refusal("trouble", {"why": reason})

    def _load_last_event(self) -> None:
        store = self._dependencies.make_store()
        self._metrics.last_event_at = (find_last_received_ms(store, self._rules.profile) or 0) / 1000
        store.close()

    async def _serve(self, sockets: list[socket.socket]) -> None:
        beside = [asyncio.create_task(self._check_periodically()), asyncio.create_task(self._send_heartbeats())]
        try:
            await self._server.serve(sockets)
        finally:
            for task in beside:
                task.cancel()

    def _announce_ready(self) -> None:
        self._dependencies.on_ready()
        self._dependencies.notifier.notify("READY=1", f"STATUS=Receives webhooks for profile {self._rules.profile}")

    def _wake_workers(self) -> None:
        for courier in self._workers:
            courier.wake()

    def _store_events(self, transaction: Transaction, events: list[Event]) -> list[StoredEvent | None]:
        """Keep those of some events that are ours, and None for each of the others."""
        rules, now = self._rules, now_ms()
        ours = [not rules.known_orders or is_known_order(transaction, rules.profile, each) for each in events]
        known = [each for each, is_ours in zip(events, ours, strict=True) if is_ours]
        kept = iter(store_events(transaction, rules.profile, known, rules.targets, now) if known else ())
        return [next(kept) if is_ours else None for is_ours in ours]

    # --- beside the answers -----------------------------------------------------------------

    async def _check_periodically(self) -> None:
        """Tell systemd that all goes well, as long as it does, and notice a new certificate."""
        notifier, next_pat = self._dependencies.notifier, 0.0
        while True:
            now = time.monotonic()
            if notifier.watchdog_seconds and now >= next_pat and self._writer.is_healthy:
                next_pat = now + notifier.watchdog_seconds
                notifier.notify("WATCHDOG=1")
            if self._certificate is not None and (said := self._certificate.reload_if_changed()):
                self._log.write(said, {}, is_problem="stays" in said)
            await asyncio.sleep(min(CHECK_SECONDS, notifier.watchdog_seconds or CHECK_SECONDS))

    async def _send_heartbeats(self) -> None:
        """Note in the store now and then that this receiver lives."""
        while True:
            await self._probe_store()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _watch_keys(self) -> None:
        """Notice new keys. In a thread of its own: a key may come from a command that takes its time."""
        while not self._stopping.wait(CHECK_SECONDS):
            try:
                keys = self._dependencies.read_keys()
            except ConfigError as error:
                if error.message != self._key_problem:
                    self._key_problem = error.message
                    self._log.write("the old keys stay in use", {"why": error.message}, is_problem=True)
                continue
            self._key_problem = ""
            if keys is not None:
                self._keys = keys
                self._log.write("keys read anew", {"accepted": len(keys)})

    async def _probe_store(self) -> bool:
        """Whether the store can be written, found out by writing: when this profile's receiver was last alive."""
        at, outcome = self._last_probe
        if time.monotonic() - at > _PROBE_CACHE_SECONDS:
            outcome = await self._write_heartbeat()
            self._last_probe = (time.monotonic(), outcome)
        return outcome

    async def _write_heartbeat(self) -> bool:
        now = now_ms()
        profile = self._rules.profile
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
                await self._writer.write(
                    lambda work: work.execute(
                        "INSERT INTO receivers (profile, seen_at) VALUES (:profile, :now)"
                        " ON CONFLICT (profile) DO UPDATE SET seen_at = :now",
                        profile=profile,
                        now=now,
                    )
                )
        except (StoreError, QueueFull, TimeoutError):
            return False
        return True

    # --- what is told about it --------------------------------------------------------------

    async def _health(self) -> Mapping[str, Any]:
        writable = await self._probe_store()
        last = self._metrics.last_event_at
        return {
            "status": "ok" if writable else "failing",
            "profile": self._rules.profile,
            "store_writable": writable,
            "last_event": format_iso(int(last * 1000)) if last else None,
            "targets": [_backlog_as_json(backlog) for backlog in await self._run_in_read_pool(self._read_backlogs)],
        }

    async def _metrics_text(self) -> str:
        found = await self._run_in_read_pool(self._read_backlogs)
        return self._metrics.render(found, self._writer.commit_count, self._server.connection_count)

    async def _run_in_read_pool(self, read: Callable[[], list[Backlog]]) -> list[Backlog]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._read_pool, read)
        except StoreError:
            return []

    def _read_backlogs(self) -> list[Backlog]:
        store = self._dependencies.make_store()
        try:
            return read_backlogs(store, self._rules.profile, self._rules.targets)
        finally:
            store.close()


def _backlog_as_json(backlog: Backlog) -> dict[str, Any]:
    age = (
        None
        if backlog.oldest_received_ms is None
        else int(time.time() - from_ms(backlog.oldest_received_ms).timestamp())
    )
    return {
        "target": backlog.target,
        "waiting": backlog.waiting,
        "oldest_seconds": age,
        "failed": backlog.failed,
    }
