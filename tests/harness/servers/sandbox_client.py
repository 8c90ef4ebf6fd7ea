"""The example requests of the CloudCore and CloudPublish documents, without their key, and ways to send them."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.servers.http_calls import HttpReply, post_json

CORE_KEY = "sandbox-core-key"
CORE_PATH, PUBLISH_PATH = "/cloudcore/1.0/", "/cloudpublish/1.0/"
COVER_MD5, BOOK_MD5 = "4578c3ecf64e47581b175d542f8b0160", "1ef89e74e628e223ae94aa4586330833"
DIALECTS = ("live", "documented")
NOON = datetime(2026, 3, 1, 12, 0, 0, 250000, UTC)


def fixed_clock() -> datetime:
    """A clock that stands still, so that only the tester moves time on."""
    return NOON


ADDRESS: dict[str, Any] = {
    "type": "delivery",
    "company": "Example company",
    "firstname": "Example firstname",
    "lastname": "Example lastname",
    "street1": "Example street 1234",
    "zip": "99999",
    "city": "Example city",
    "country": "DE",
    "email": "email@example.com",
    "phone": "12345678",
}
FILES = [
    {
        "type": "cover",
        "url": "https://download.example.com/files/9aade201b3a85ceec318b2240d5eb373",
        "md5sum": COVER_MD5,
    },
    {"type": "book", "url": "https://download.example.com/files/c4b5a0b95114f40fc8c9d4e7cd504290", "md5sum": BOOK_MD5},
]
ORDER_REQUEST: dict[str, Any] = {
    "reference": "12346",
    "email": "support@client-company.com",
    "addresses": [ADDRESS],
    "items": [
        {
            "reference": "12346-1",
            "product": "book_hardcover_21x30",
            "shipping_level": "cp_saver",
            "title": "Book Hardcover 21x30",
            "count": "5",
            "files": FILES,
            "options": [{"type": "total_pages", "count": "36"}, {"type": "paper_130mcg", "count": "36"}],
        }
    ],
}
QUOTE_REQUEST: dict[str, Any] = {
    "country": "NL",
    "items": [
        {
            "reference": "ref_id_1234567",
            "product": "textbook_pb_a4_p_bw",
            "count": "1",
            "options": [{"type": "pageblock_80off", "count": "120"}, {"type": "total_pages", "count": "120"}],
        }
    ],
}
PUBLISH_ADDRESS = {
    "type": "delivery",
    "company": "Example company",
    "firstname": "Test firstname",
    "lastname": "Test lastname",
    "street1": "Test street1",
    "street2": "Test street2",
    "zip": "1234",
    "city": "Test city",
    "state": "FL",
    "country": "US",
    "email": "mail@customer.com",
    "phone": "+112345678",
}
PUBLISH_ORDER_REQUEST: dict[str, Any] = {
    "order_reference": "200012345",
    "email": "support@client-company.com",
    "addresses": [PUBLISH_ADDRESS],
    "items": [
        {
            "item_reference": f"123456-000{n}",
            "catalog_reference": "catalog_1",
            "isbn": f"123456789012{n + 2}",
            "shipping_level": "cp_saver",
            "quantity": "1",
        }
        for n in (1, 2)
    ],
}


class SandboxClient(NamedTuple):
    """A client of a sandbox."""

    sandbox: Sandbox

    def send(self, path: str, body: Mapping[str, Any] | None = None, **options: Any) -> HttpReply:
        """Send to a path, of CloudCore unless it says otherwise; the key is added unless the body brings one."""
        url = path if path.startswith("/") else CORE_PATH + path
        return post_json(self.sandbox.base_url, url, {"apikey": CORE_KEY, **(body or {})}, **options)

    def get(self, path: str, body: Mapping[str, Any] | None = None, status: int = 200) -> Any:
        """Send, insist on the status, and return the JSON of the answer; None where it is empty."""
        reply = self.send(path, body)
        assert reply.status == status, (reply.status, reply.body)
        return json.loads(reply.body) if reply.body else None

    def add_order(self, reference: str = "12346", **changes: Any) -> str:
        """Add the order of the example under a reference."""
        self.get("orders/add", {**ORDER_REQUEST, "reference": reference, **changes}, 201)
        return reference

    def order_state(self, reference: str = "12346") -> int:
        """The number of an order's state."""
        return int(self.get("orders/info", {"reference": reference})["state"])

    def order_log(self, reference: str = "12346") -> list[int]:
        """The numbers of all states an order has had."""
        return [int(entry["state"]) for entry in self.get("orders/log", {"reference": reference})]


def replace_value(body: dict[str, Any], path: str, value: Any = None) -> dict[str, Any]:
    """A copy of a request in which one place, such as `items.0.count`, is another value, or gone."""
    made: Any = copy.deepcopy(body)
    *way, last = path.split(".")
    there = made
    for step in way:
        there = there[int(step) if step.isdigit() else step]
    if value is None:
        del there[int(last) if last.isdigit() else last]
    else:
        there[int(last) if last.isdigit() else last] = value
    return made  # type: ignore[no-any-return]


def json_shape(value: Any) -> Any:
    """What kind of JSON a value is; of a list, its first element."""
    if isinstance(value, dict):
        return {name: json_shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [json_shape(value[0])] if value else []
    return type(value)
