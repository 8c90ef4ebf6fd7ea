"""Notifications to systemd: ready, alive, stopping (sd_notify(3)). Nothing is sent without systemd."""

import contextlib
import socket
from collections.abc import Mapping


class Notifier:
    """The socket of NOTIFY_SOCKET. `watchdog_seconds` is the time between signs of life; None for no watchdog."""

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
