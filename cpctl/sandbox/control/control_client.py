"""Control of a sandbox that runs in another process."""

import json
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from cpctl.errors import CpctlError, InvalidInput, TemporaryError
from cpctl.sandbox.control.control_routes import CONTROL_PREFIX

_TIMEOUT_SECONDS = 10.0  # seconds
_UNREACHABLE_HINT = (
    "Start one with `cpctl sandbox serve`; while the fault `down` is on, only its control address answers "
    "(CPCTL_SANDBOX_CONTROL)."
)


class ControlClient:
    """Switches the sandbox at that address, without any proxy of the environment.

    Every method raises TemporaryError where no sandbox answers, and InvalidInput where it refuses a value.
    """

    def __init__(self, url: str) -> None:
        """Raises InvalidInput where the address is not that of a sandbox, such as http://127.0.0.1:8900."""
        self.url = url
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 80
        except ValueError:
            self._host = ""
        if not self._host or parts.scheme != "http":
            raise InvalidInput(f'"{url}" is not the address of a sandbox.', "It looks like http://127.0.0.1:8900.")

    def add_fault(
        self,
        kind: str,
        path: str = "",
        times: int = 0,
        status: int | None = None,
        retry_after: str | None = None,
        seconds: float | None = None,
    ) -> list[dict[str, Any]]:
        """Switch a fault on; returns all that are on."""
        said = {"status": status, "retry_after": retry_after, "seconds": seconds}
        fault = {"kind": kind, "path": path, "times": times} | {k: v for k, v in said.items() if v is not None}
        return self._call_for_list("POST", "faults", fault)

    def list_faults(self) -> list[dict[str, Any]]:
        """The faults that are on."""
        return self._call_for_list("GET", "faults")

    def clear_faults(self) -> None:
        """Switch all faults off; the API comes back if it was down."""
        self._call("DELETE", "faults")

    def reset(self, orders: int | None = None, items: int | None = None) -> None:
        """Make all orders anew, forget all requests, switch all faults off."""
        said = {"orders": orders, "items": items}
        self._call("POST", "reset", {name: value for name, value in said.items() if value is not None})

    def list_requests(self) -> list[dict[str, Any]]:
        """Every request received, oldest first, keys masked."""
        return self._call_for_list("GET", "requests")

    def get_state(self) -> dict[str, Any]:
        """Orders with their items, and what was said of each."""
        return self._call("GET", "state")

    def get_time(self) -> datetime:
        """The sandbox's time."""
        return self._call_for_time("GET")

    def advance_clock(self, seconds: float) -> datetime:
        """Put the sandbox's clock forward; what is due by then has happened. Returns its time."""
        return self._call_for_time("POST", {"advance_seconds": seconds})

    def list_webhooks(self) -> list[dict[str, Any]]:
        """Every webhook, oldest first: n, type, order, item, attempts, status, delivered, next_try."""
        return self._call_for_list("GET", "webhooks")

    def set_webhook_url(self, url: str) -> None:
        """Send what happens from now on to that address, on this machine."""
        self._call("POST", "webhooks", {"url": url})

    def trigger_webhook(self, type: str, **fields: object) -> dict[str, Any]:
        """Send one webhook of any type, now; returns its line in the list of all.

        `order` and `item` may be ids or references, and default to the first there are; every other field is said
        as it is.
        """
        found = self._call("POST", "trigger", {"type": type, **fields}).get("webhook")
        if not isinstance(found, dict):
            raise self._unreachable_error("something else answers there")
        return found

    def _call_for_time(self, method: str, body: object = None) -> datetime:
        try:
            return datetime.fromisoformat(str(self._call(method, "time", body).get("now")))
        except ValueError as fault:
            raise self._unreachable_error("something else answers there") from fault

    def _call_for_list(self, method: str, name: str, body: object = None) -> list[dict[str, Any]]:
        found = self._call(method, name, body).get(name)
        if not isinstance(found, list):
            raise self._unreachable_error("something else answers there")
        return found

    def _call(self, method: str, name: str, body: object = None) -> dict[str, Any]:
        status, reply = self._send_request(
            method, f"{CONTROL_PREFIX}/{name}", b"" if body is None else json.dumps(body).encode()
        )
        if isinstance(reply, dict) and status == HTTPStatus.OK:
            return reply
        raise self._build_error(status, reply)

    def _send_request(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        connection = HTTPConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException) as fault:
            raise self._unreachable_error(
                getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
            ) from fault
        except ValueError as fault:
            raise self._unreachable_error("something else answers there") from fault
        finally:
            connection.close()

    def _build_error(self, status: int, reply: object) -> CpctlError:
        error = reply.get("error") if isinstance(reply, dict) else None
        if isinstance(error, dict) and error.get("type") == InvalidInput.code:
            return InvalidInput(str(error.get("info")), str(error.get("hint", "")))
        return self._unreachable_error(f"it answers {status}")

    def _unreachable_error(self, why: str) -> TemporaryError:
        return TemporaryError(f"No sandbox answers at {self.url}: {why}.", _UNREACHABLE_HINT)
