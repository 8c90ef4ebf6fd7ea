"""What an endpoint of the sandbox says: an answer, or a refusal in the shape of the real service."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class Answer:
    """A status and what stands in the body as JSON; a body of None is an empty one."""

    status: int
    body: object = None


DONE = Answer(HTTPStatus.OK)
NOTHING = Answer(HTTPStatus.NO_CONTENT)


class Refused(Exception):
    """A rule of an endpoint says no; nothing took effect."""

    def __init__(self, kind: str, info: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(info)
        self.kind, self.info = kind, info
        self.answer = error(status, kind, info)


def ok(body: object) -> Answer:
    """The request has succeeded."""
    return Answer(HTTPStatus.OK, body)


def error(status: int, kind: str, info: str) -> Answer:
    """An error body as CloudCore writes it: a code for a machine, and the detail for a person."""
    return Answer(status, {"error": {"type": kind, "info": info}})


def publish_error(status: int, kind: str, info: str) -> Answer:
    """An error body as CloudPublish writes it (CloudPublish API 1.0, "Handling errors")."""
    return Answer(status, {"status": {"errors": {kind: info}}})
