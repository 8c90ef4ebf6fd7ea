"""A receiver of webhooks, whole: store, answers, targets, signs of life; from its start to its graceful stop."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from cpctl.errors import ConfigError, StoreError
from cpctl.outbox.models import from_ms, iso
from cpctl.store.store import Store, Transaction
from cpctl.webhooks.events.deliveries import Backlog, backlogs
from cpctl.webhooks.events.delivery_worker import Courier
from cpctl.webhooks.events.event import Event
from cpctl.webhooks.events.event_store import Kept, is_known_order, keep, last_arrival
from cpctl.webhooks.events.targets import Target
from cpctl.webhooks.server.access_log import Log
from cpctl.webhooks.server.app import App, Rules
from cpctl.webhooks.server.http_server import Listener, Told
from cpctl.webhooks.server.metrics import Numbers
from cpctl.webhooks.server.sockets import Certificate, Place
from cpctl.webhooks.server.systemd import Notifier
from cpctl.webhooks.server.writer import Busy, Writer

# Keys and certificates are looked at so often; the store is told that we live so often.
LOOK_SECONDS = 1.0
SIGN_OF_LIFE_SECONDS = 30.0
_PROBE_SECONDS = 5.0
# So long an outcome of a probe is good for: whoever asks for /health again and again makes no more commits.
_PROBE_LASTS = 1.0
# From the signal to the end, at most.
END_SECONDS = 8.5
_COURIERS_SECONDS = 3.0


class Surroundings(NamedTuple):
    """What a receiver is handed by the one who starts it.

    `keys` are accepted at first; `read_keys` gives those that are accepted from then on, or None where
    nothing has changed since it was last asked; it raises ConfigError. `ready` is called once it listens.
    """

    make_store: Callable[[], Store]
    keys: Sequence[str]
    read_keys: Callable[[], Sequence[str] | None]
    ready: Callable[[], None]
    notifier: Notifier


class Receiver:
    """Receives webhooks until the process is told to end."""

    def __init__(
        self, rules: Rules, place: Place, targets: Sequence[Target], surroundings: Surroundings, log: Log
    ) -> None:
        """Raises ConfigError for a certificate that cannot be used."""
        self._rules, self._surroundings, self._log = rules, surroundings, log
        self._keys = surroundings.keys
        self._key_problem = ""
        self._numbers = Numbers()
        self._writer = Writer(surroundings.make_store, self._keep)
        self._certificate = Certificate(place.tls_cert, place.tls_key) if place.tls_cert else None
        self._couriers = [
            Courier(target, rules.profile, self._writer, surroundings.make_store, log, self._numbers)
            for target in targets
        ]
        app = App(rules, lambda: self._keys, self._writer, self._numbers, log, self._health, self._numbers_text)
        app.stored = self._wake_couriers
        self._listener = Listener(app, place, self._certificate, Told(self._is_ready, self._ends, self._note_trouble))
        self._ended = threading.Event()
        self._deadline = float("inf")  # of the monotonic clock
        self._probed = (float("-inf"), False)
        # Its threads are not waited for at the end: a store that is locked must not keep the process.
        self._looking = ThreadPoolExecutor(2, "webhooks-look")

    def run(self, sockets: list[socket.socket]) -> None:
        """Receive. Ends when the process is told to, with what that raises; within 10 s, and with all that was said."""
        self._remember_last_event()
        self._writer.start()
        for courier in self._couriers:
            courier.start()
        threading.Thread(target=self._look_after_keys, name="webhooks-keys", daemon=True).start()
        try:
            asyncio.run(self._serve(sockets))
        finally:
            self._end()

    def _end(self) -> None:
        self._ends()
        deadline = min(self._deadline, time.monotonic() + _COURIERS_SECONDS)
        for courier in self._couriers:
            courier.stop()
        for courier in self._couriers:
            courier.join(deadline)
        self._writer.stop(max(deadline, time.monotonic() + 0.5))
        self._looking.shutdown(wait=False, cancel_futures=True)

    def _ends(self) -> None:
        """The process was told to end."""
        if not self._ended.is_set():
            self._ended.set()
            self._deadline = time.monotonic() + END_SECONDS
            self._surroundings.notifier.say("STOPPING=1")

    def _note_trouble(self, why: str) -> None:
        self._log.refused("trouble", {"why": why})

    def _remember_last_event(self) -> None:
        store = self._surroundings.make_store()
        self._numbers.last_event = (last_arrival(store, self._rules.profile) or 0) / 1000
        store.close()

    async def _serve(self, sockets: list[socket.socket]) -> None:
        beside = [asyncio.create_task(self._look_around()), asyncio.create_task(self._give_signs())]
        try:
            await self._listener.serve(sockets)
        finally:
            for task in beside:
                task.cancel()

    def _is_ready(self) -> None:
        self._surroundings.ready()
        self._surroundings.notifier.say("READY=1", f"STATUS=Receives webhooks for profile {self._rules.profile}")

    def _wake_couriers(self) -> None:
        for courier in self._couriers:
            courier.wake()

    def _keep(self, work: Transaction, events: list[Event]) -> list[Kept | None]:
        """Keep those of some events that are ours, and None for each of the others."""
        rules, now = self._rules, int(time.time() * 1000)
        ours = [not rules.known_orders or is_known_order(work, rules.profile, each) for each in events]
        known = [each for each, is_ours in zip(events, ours, strict=True) if is_ours]
        kept = iter(keep(work, rules.profile, known, rules.targets, now) if known else ())
        return [next(kept) if is_ours else None for is_ours in ours]

    # --- beside the answers -----------------------------------------------------------------

    async def _look_around(self) -> None:
        """Tell systemd that all goes well, as long as it does, and notice a new certificate."""
        notifier, next_pat = self._surroundings.notifier, 0.0
        while True:
            now = time.monotonic()
            if notifier.period and now >= next_pat and self._writer.is_well:
                next_pat = now + notifier.period
                notifier.say("WATCHDOG=1")
            if self._certificate is not None and (said := self._certificate.renew()):
                self._log.say(said, {}, problem="stays" in said)
            await asyncio.sleep(min(LOOK_SECONDS, notifier.period or LOOK_SECONDS))

    async def _give_signs(self) -> None:
        """Note in the store now and then that this receiver lives."""
        while True:
            await self._probe()
            await asyncio.sleep(SIGN_OF_LIFE_SECONDS)

    def _look_after_keys(self) -> None:
        """Notice new keys. In a thread of its own: a key may come from a command that takes its time."""
        while not self._ended.wait(LOOK_SECONDS):
            try:
                keys = self._surroundings.read_keys()
            except ConfigError as error:
                if error.message != self._key_problem:
                    self._key_problem = error.message
                    self._log.say("the old keys stay in use", {"why": error.message}, problem=True)
                continue
            self._key_problem = ""
            if keys is not None:
                self._keys = keys
                self._log.say("keys read anew", {"accepted": len(keys)})

    async def _probe(self) -> bool:
        """Whether the store can be written, found out by writing: when this profile's receiver was last alive."""
        at, outcome = self._probed
        if time.monotonic() - at > _PROBE_LASTS:
            outcome = await self._write_sign()
            self._probed = (time.monotonic(), outcome)
        return outcome

    async def _write_sign(self) -> bool:
        now = int(time.time() * 1000)
        profile = self._rules.profile
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await self._writer.write(
                    lambda work: work.change(
                        "INSERT INTO receivers (profile, seen_at) VALUES (:profile, :now)"
                        " ON CONFLICT (profile) DO UPDATE SET seen_at = :now",
                        profile=profile,
                        now=now,
                    )
                )
        except (StoreError, Busy, TimeoutError):
            return False
        return True

    # --- what is told about it --------------------------------------------------------------

    async def _health(self) -> Mapping[str, Any]:
        writable = await self._probe()
        last = self._numbers.last_event
        return {
            "status": "ok" if writable else "failing",
            "profile": self._rules.profile,
            "store_writable": writable,
            "last_event": iso(int(last * 1000)) if last else None,
            "targets": [_as_json(backlog) for backlog in await self._look(self._backlogs)],
        }

    async def _numbers_text(self) -> str:
        found = await self._look(self._backlogs)
        return self._numbers.text(found, self._writer.commits, self._listener.connections)

    async def _look(self, look: Callable[[], list[Backlog]]) -> list[Backlog]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._looking, look)
        except StoreError:
            return []

    def _backlogs(self) -> list[Backlog]:
        store = self._surroundings.make_store()
        try:
            return backlogs(store, self._rules.profile, self._rules.targets)
        finally:
            store.close()


def _as_json(backlog: Backlog) -> dict[str, Any]:
    age = None if backlog.oldest is None else int(time.time() - from_ms(backlog.oldest).timestamp())
    return {
        "target": backlog.target,
        "waiting": backlog.waiting,
        "oldest_seconds": age,
        "failed": backlog.failed,
    }
