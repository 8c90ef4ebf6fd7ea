"""A receiver of webhooks, whole: store, answers, targets, signs of life; from its start to its graceful stop."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cpctl.delivery.entry import from_ms, iso
from cpctl.delivery.store import Store
from cpctl.errors import ConfigError, StoreError
from cpctl.webhooks.app import App, Rules
from cpctl.webhooks.courier import Courier
from cpctl.webhooks.handovers import Backlog, backlogs
from cpctl.webhooks.listener import Certificate, Listener, Place
from cpctl.webhooks.log import Log
from cpctl.webhooks.numbers import Numbers
from cpctl.webhooks.shelf import last_arrival
from cpctl.webhooks.systemd import Notifier
from cpctl.webhooks.targets import Target
from cpctl.webhooks.writer import Busy, Writer

# Keys and certificates are looked at so often; the store is told that we live so often.
LOOK_SECONDS = 1.0
SIGN_OF_LIFE_SECONDS = 30.0
_PROBE_SECONDS = 5.0
_COURIERS_SECONDS = 3.0


class Surroundings(NamedTuple):
    """What a receiver is handed by the one who starts it.

    `read_keys` gives the keys that are accepted, or None where nothing has changed since it was last
    asked; it raises ConfigError. `ready` is called once it listens.
    """

    make_store: Callable[[], Store]
    read_keys: Callable[[], Sequence[str] | None]
    ready: Callable[[], None]
    notifier: Notifier


class Receiver:
    """Receives webhooks until the process is told to end."""

    def __init__(
        self, rules: Rules, place: Place, targets: Sequence[Target], surroundings: Surroundings, log: Log
    ) -> None:
        """Raises ConfigError for a certificate or keys that cannot be used."""
        self._rules, self._surroundings, self._log = rules, surroundings, log
        self._keys: Sequence[str] = surroundings.read_keys() or ()
        self._numbers = Numbers()
        self._writer = Writer(surroundings.make_store)
        self._certificate = Certificate(place.tls_cert, place.tls_key) if place.tls_cert else None
        self._couriers = [
            Courier(target, rules.profile, self._writer, surroundings.make_store, log, self._numbers)
            for target in targets
        ]
        app = App(rules, lambda: self._keys, self._writer, self._numbers, log, self._health, self._numbers_text)
        app.stored = self._wake_couriers
        self._listener = Listener(app, place, self._certificate, self._is_ready)

    def run(self, sockets: list[socket.socket]) -> None:
        """Receive. Ends when the process is told to, with what that raises; within 10 s, and with all that was said."""
        self._remember_last_event()
        self._writer.start()
        for courier in self._couriers:
            courier.start()
        try:
            asyncio.run(self._serve(sockets))
        finally:
            self._surroundings.notifier.say("STOPPING=1")
            deadline = time.monotonic() + _COURIERS_SECONDS
            for courier in self._couriers:
                courier.stop(deadline)
            self._writer.stop()
            self._log.stop()

    def _remember_last_event(self) -> None:
        store = self._surroundings.make_store()
        self._numbers.last_event = (last_arrival(store, self._rules.profile) or 0) / 1000
        store.close()

    async def _serve(self, sockets: list[socket.socket]) -> None:
        looking = asyncio.create_task(self._look_around())
        try:
            await self._listener.serve(sockets)
        finally:
            looking.cancel()

    def _is_ready(self) -> None:
        self._surroundings.ready()
        self._surroundings.notifier.say("READY=1", f"STATUS=Receives webhooks for profile {self._rules.profile}")

    def _wake_couriers(self) -> None:
        for courier in self._couriers:
            courier.wake()

    # --- beside the answers -----------------------------------------------------------------

    async def _look_around(self) -> None:
        """Notice new keys and a new certificate, and give signs of life."""
        notifier, next_sign, next_pat = self._surroundings.notifier, 0.0, 0.0
        period = min(LOOK_SECONDS, notifier.period or LOOK_SECONDS)
        while True:
            now = time.monotonic()
            if now >= next_sign:
                next_sign = now + SIGN_OF_LIFE_SECONDS
                await self._probe()
            if notifier.period and now >= next_pat and self._writer.alive:
                next_pat = now + notifier.period
                notifier.say("WATCHDOG=1")
            await self._renew()
            await asyncio.sleep(period)

    async def _renew(self) -> None:
        try:
            # In a thread: a key may come from a command that takes its time.
            keys = await asyncio.to_thread(self._surroundings.read_keys)
            if keys is not None:
                self._keys = keys
                self._log.say("keys read anew", {"accepted": len(keys)})
        except ConfigError as error:
            self._log.say("the old keys stay in use", {"why": error.message}, problem=True)
        if self._certificate is not None and (said := self._certificate.renew()):
            self._log.say(said, {}, problem="stays" in said)

    async def _probe(self) -> bool:
        """Whether the store can be written, found out by writing: when this profile's receiver was last alive."""
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
            return await asyncio.to_thread(look)
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
