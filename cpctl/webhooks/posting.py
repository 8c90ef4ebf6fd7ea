"""placeholder: replaced by the shelf branch"""

from collections.abc import Mapping
from typing import NamedTuple


class Unreached(Exception):
    """x"""


class Answered(NamedTuple):
    """x"""

    status: int
    words: str


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answered:
    """x"""
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, dict(headers), method="POST"), timeout=timeout
        ) as a:
            return Answered(a.status, "")
    except urllib.error.HTTPError as e:
        return Answered(e.code, "")
    except OSError as e:
        raise Unreached(str(e)) from e
