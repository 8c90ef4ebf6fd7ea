"""Responses of the sandbox, and refusals in the shape of the real service."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class SandboxResponse:
    """A status and a JSON body; None is an empty body."""

    status: int
    body: object = None


EMPTY_OK = SandboxResponse(HTTPStatus.OK)
NO_CONTENT = SandboxResponse(HTTPStatus.NO_CONTENT)


class SandboxRefusal(Exception):
    """An endpoint refuses a request; nothing was changed."""

    def __init__(self, error_type: str, info: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(info)
        self.error_type, self.info, self.status = error_type, info, status


def ok_response(body: object) -> SandboxResponse:
    return SandboxResponse(HTTPStatus.OK, body)


def error_response(status: int, error_type: str, info: str) -> SandboxResponse:
    """An error as CloudCore writes it: a code for programs, and details for people."""
    return SandboxResponse(status, {"error": {"type": error_type, "info": info}})


def publish_error_response(status: int, error_type: str, info: str) -> SandboxResponse:
    """An error as CloudPublish writes it (CloudPublish API 1.0, "Handling errors")."""
    return SandboxResponse(status, {"status": {"errors": {error_type: info}}})
