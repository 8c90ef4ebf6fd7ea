"""Control of a sandbox that runs in another process."""

import json
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cpctl.errors import InvalidInput, TemporaryError
from cpctl.sandbox.control.control_routes import CONTROL_PREFIX

T = TypeVar("T")
_TIMEOUT_SECONDS = 10.0
_UNREACHABLE_HINT = (
    "Start one with `cpctl sandbox serve`; while the fault `down` is active, only its control address responds "
    "(CPCTL_SANDBOX_CONTROL)."
)
_NOT_A_SANDBOX = "the server there is not a sandbox"


class ControlClient:
    """Controls the sandbox at a URL. Proxies of the environment are not used.

    Every method raises TemporaryError if no sandbox responds, and InvalidInput if it refuses a value.
    """

    def __init__(self, url: str) -> None:
        """Raises InvalidInput if that is not the URL of a sandbox, such as http://127.0.0.1:8900."""
        self.url = url
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 80
        except ValueError:
            self._host = ""
        if not self._host or parts.scheme != "http":
            raise InvalidInput(f'"{url}" is not the address of a sandbox.', "It looks like http://127.0.0.1:8900.")

    def add_fault(self, kind: object, **parameters: object) -> list[dict[str, Any]]:
        """Activate a fault with the parameters of `Fault`; returns all active faults."""
        return self._call_for(list, "POST", "faults", "faults", {"kind": kind, **parameters})

    def list_faults(self) -> list[dict[str, Any]]:
        return self._call_for(list, "GET", "faults", "faults")

    def clear_faults(self) -> None:
        """Clear all faults; the API responds again if it was down."""
        self._call("DELETE", "faults")

    def reset(self, orders: int | None = None, items: int | None = None) -> None:
        """Recreate the seed orders and clear requests, webhooks and faults; None keeps the current number."""
        self._call("POST", "reset", {"orders": orders, "items": items})

    def list_requests(self) -> list[dict[str, Any]]:
        """Every request received, oldest first, keys masked."""
        return self._call_for(list, "GET", "requests", "requests")

    def get_state(self) -> dict[str, Any]:
        """Orders with their items and signals."""
        return self._call("GET", "state")

    def get_time(self) -> datetime:
        return self._call_for_time("GET")

    def advance_clock(self, seconds: float) -> datetime:
        """Advance the sandbox's clock and run everything due by then; returns its time."""
        return self._call_for_time("POST", {"advance_seconds": seconds})

    def list_webhooks(self) -> list[dict[str, Any]]:
        """Every webhook, oldest first: n, type, order, item, attempts, status, delivered, next_attempt_at."""
        return self._call_for(list, "GET", "webhooks", "webhooks")

    def set_webhook_url(self, url: str) -> None:
        """Send webhooks to that URL, on this machine, from now on."""
        self._call("POST", "webhooks", {"url": url})

    def trigger_webhook(self, type: str, **fields: object) -> dict[str, Any]:
        """Send one webhook of any type; returns it as `list_webhooks` does.

        `order` and `item` may be ids or references, and default to the first; every other field is sent as given.
        """
        return self._call_for(dict, "POST", "trigger", "webhook", {"type": type, **fields})

    def _call_for_time(self, method: str, body: object = None) -> datetime:
        try:
            return datetime.fromisoformat(self._call_for(str, method, "time", "now", body))
        except ValueError as error:
            raise self._unreachable_error(_NOT_A_SANDBOX) from error

    def _call(self, method: str, route: str, body: object = None) -> dict[str, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        status, response = self._send_request(method, f"{CONTROL_PREFIX}/{route}", data)
        if isinstance(response, dict) and status == HTTPStatus.OK:
            return response
        error = response.get("error") if isinstance(response, dict) else None
        if isinstance(error, dict) and error.get("type") == InvalidInput.code:
            raise InvalidInput(str(error.get("info")), str(error.get("hint", "")))
        raise self._unreachable_error(f"the server there responds with status {status}")

    def _call_for(self, expected: type[T], method: str, route: str, key: str, body: object = None) -> T:
        value = self._call(method, route, body).get(key)
        if not isinstance(value, expected):
            raise self._unreachable_error(_NOT_A_SANDBOX)
        return value

    def _send_request(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        connection = HTTPConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise self._unreachable_error(reason) from error
        except ValueError as error:
            raise self._unreachable_error(_NOT_A_SANDBOX) from error
        finally:
            connection.close()

    def _unreachable_error(self, reason: str) -> TemporaryError:
        return TemporaryError(f"No sandbox responds at {self.url}: {reason}.", _UNREACHABLE_HINT)
