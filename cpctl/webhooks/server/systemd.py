"""What systemd is told: ready, alive, stopping (sd_notify(3)). Without systemd nothing is said."""

import contextlib
import socket
from collections.abc import Mapping


class Notifier:
    """Talks to the socket that NOTIFY_SOCKET names; `period` is how often it wants a sign of life, in seconds."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        interval = environment.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(interval) / 2_000_000 if interval.isdigit() and int(interval) else None

    def notify(self, *lines: str) -> None:
        """Send lines such as READY=1. A manager that does not listen is none of our trouble."""
        family = getattr(socket, "AF_UNIX", None)
        if not self._address or family is None:
            return
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as speaker:
            speaker.connect(self._address)
            speaker.send("\n".join(lines).encode())
