"""What an endpoint of the sandbox says: an answer, or a refusal in the shape of the real service."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class SandboxResponse:
    """A status and what stands in the body as JSON; a body of None is an empty one."""

    status: int
    body: object = None


EMPTY_OK = SandboxResponse(HTTPStatus.OK)
NO_CONTENT = SandboxResponse(HTTPStatus.NO_CONTENT)


class SandboxRefusal(Exception):
    """A rule of an endpoint says no; nothing took effect."""

    def __init__(self, error_type: str, info: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(info)
        self.error_type, self.info = error_type, info
        self.response = error_response(status, error_type, info)


def ok_response(body: object) -> SandboxResponse:
    """The request has succeeded."""
    return SandboxResponse(HTTPStatus.OK, body)


def error_response(status: int, error_type: str, info: str) -> SandboxResponse:
    """An error body as CloudCore writes it: a code for a machine, and the detail for a person."""
    return SandboxResponse(status, {"error": {"type": error_type, "info": info}})


def publish_error_response(status: int, error_type: str, info: str) -> SandboxResponse:
    """An error body as CloudPublish writes it (CloudPublish API 1.0, "Handling errors")."""
    return SandboxResponse(status, {"status": {"errors": {error_type: info}}})
