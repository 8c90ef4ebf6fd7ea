"""The tables of endpoints, and of the fields of those that take no document.

Sources: CloudCore 1.0, CloudPublish 1.0 and CloudSignal 1.1 and 2.0, one section per endpoint; `prices/lookup` has its
own page ("How to check prices"), and `orders/quote/info` is known from the official SDKs.
"""

from enum import Enum
from typing import Any, NamedTuple


class Effect(Enum):
    """What a call does, which decides whether it may be repeated when no answer arrived."""

    READ = "reads; may be repeated"
    CHANGE = "makes a change; repeated only if the request certainly never left"
    ADD_ORDER = "adds an order; never repeated"


class Endpoint(NamedTuple):
    """One URL of the service. Every call is a POST of a JSON object that contains the key.

    `required` are the required fields of the request. `items_key` is the key under which a list is wrapped ("" for a
    bare list or an object). `allows_empty` says that 204 means an empty list, not a missing resource. `counter` is the
    resource and verb of the counter in the answer to a change. `resource` is what one call is about, and
    `conflict_message` what a 409 means for it. `commands` are the commands that make the call, the main one first;
    `statuses` are the documented ones.
    """

    name: str
    path: str
    key: str = "core"  # which of the profile's keys
    effect: Effect = Effect.READ
    required: tuple[str, ...] = ()
    items_key: str = ""
    allows_empty: bool = False
    counter: tuple[str, str] | None = None
    resource: str = ""
    conflict_message: str = "already exists"
    commands: tuple[str, ...] = ()
    meaning: str = ""
    statuses: tuple[int, ...] = (200, 400)


_READ, _CHANGE, _ADD = Effect.READ, Effect.CHANGE, Effect.ADD_ORDER
_SIGNAL_STATUSES = (200, 400, 401, 403)
_LIST = (200, 400, 403)
_INFO = (200, 204, 400, 403)
_LOG = (200, 204, 400)
_ADDED = (200, 400, 403, 409)
_REMOVED = (200, 400, 403, 410)
_CANCELED = (200, 400, 403, 409, 410)
_NOT_CANCELABLE = "cannot be canceled in its current state"


def _signal(name: str, path: str) -> Endpoint:
    return Endpoint(name, path, "signal", _CHANGE, statuses=_SIGNAL_STATUSES)


def _core(name: str, commands: str, meaning: str, path: str = "", **columns: Any) -> Endpoint:
    path = f"/cloudcore/1.0/{path or name}"
    return Endpoint(name, path, commands=tuple(commands.split(", ")), meaning=meaning, **columns)


def _publish(name: str, commands: str, meaning: str, path: str = "", **columns: Any) -> Endpoint:
    return _core(name, commands, meaning, **columns)._replace(path=f"/cloudpublish/1.0/{path or name}")


# fmt: off
ENDPOINTS: dict[str, Endpoint] = {
    row.name: row
    for row in (
        # CloudSignal. The documents give two paths for 1.1; a profile names one of them.
        _signal("signal-2.0", "/cloudsignal/2.0/status/"),
        _signal("signal-1.1", "/1.1/status/"),
        _signal("signal-1.1-alternative", "/cloudsignal/1.1/status/"),
        # CloudCore. Columns: name, commands, meaning, then what differs from the defaults of Endpoint.
        _core("orders", "orders list", "List the orders of the account.",
              path="orders/", allows_empty=True, statuses=_INFO),
        _core("orders/info", "orders info, orders wait", "Show all details of an order.",
              required=("reference",), resource="order", statuses=(200, 400, 410)),
        _core("orders/add", "orders add", "Add an order.",
              effect=_ADD, resource="order", statuses=(201, 400)),
        _core("orders/cancel", "orders cancel", "Request cancellation of an order.",
              effect=_CHANGE, required=("reference",), resource="order", conflict_message=_NOT_CANCELABLE,
              statuses=_CANCELED),
        # A CloudPublish order has the same address, and its log is wrapped.
        _core("orders/log", "orders log", "Show the states an order went through.",
              required=("reference",), items_key="logs", resource="order", statuses=_LOG),
        _core("orders/quote", "quote get", "Request offers for each shipment, valid for 48 hours.",
              required=("country", "items")),
        _core("orders/quote/info", "quote info", "Show an offer.",
              required=("quote",), resource="quote", statuses=_LOG),
        _core("prices/lookup", "quote price", "Look up prices: the same as a quote, faster, with a rate limit.",
              required=("country", "items")),
        _core("products", "products list", "List the products enabled for the account.",
              allows_empty=True, statuses=_INFO),
        _core("products/info", "products info", "Show options, files and measures of a product.",
              required=("reference",), resource="product", statuses=_LOG),
        _core("shipping/levels", "shipping levels", "List the shipping levels.",
              allows_empty=True, statuses=_LIST),
        _core("shipping/countries", "shipping countries", "List the countries that can be shipped to.",
              allows_empty=True),
        _core("shipping/states", "shipping states", "List the states of a country.",
              required=("country_reference",), allows_empty=True, resource="country"),
        # CloudPublish
        _publish("catalogs", "catalogs list", "List the catalogs of the account.",
                 items_key="catalogs", allows_empty=True, statuses=_LIST),
        _publish("catalogs/info", "catalogs info", "Show a catalog and the number of its titles.",
                 required=("catalog_reference",), resource="catalog", statuses=_INFO),
        _publish("catalogs/add", "catalogs add", "Add a catalog.",
                 effect=_CHANGE, required=("catalog_reference", "name", "note"), counter=("catalogs", "added"),
                 resource="catalog", statuses=_ADDED),
        _publish("catalogs/remove", "catalogs remove", "Remove a catalog.",
                 effect=_CHANGE, required=("catalog_reference",), counter=("catalogs", "removed"),
                 resource="catalog", statuses=_REMOVED),
        _publish("titles", "titles list", "List the titles of a catalog.",
                 required=("catalog_reference",), items_key="titles", allows_empty=True, resource="catalog",
                 statuses=_LIST),
        _publish("titles/info", "titles info", "Show a title with its files.",
                 required=("isbn",), resource="title", statuses=_INFO),
        _publish("titles/add", "titles add", "Add a title.",
                 effect=_CHANGE, required=("isbn", "name", "note"), counter=("titles", "added"), resource="title",
                 statuses=_ADDED),
        _publish("titles/remove", "titles remove", "Remove a title.",
                 effect=_CHANGE, required=("isbn",), counter=("titles", "removed"), resource="title",
                 statuses=_REMOVED),
        _publish("products/mixes", "products mixes", "List the product mixes.",
                 items_key="mixes", allows_empty=True, statuses=_LIST),
        _publish("products/mixes/info", "products mix", "Show the product and the options of a product mix.",
                 required=("product_mix_reference",), resource="product mix", statuses=_INFO),
        # CloudPublish orders. The documents give CloudCore's addresses for all but the list.
        _publish("publish/orders", "orders list --api publish", "List the CloudPublish orders of the account.",
                 path="orders", items_key="orders", allows_empty=True, statuses=_INFO),
        _core("publish/orders/info", "orders info --api publish", "Show all details of a CloudPublish order.",
              path="orders/info", required=("reference",), resource="order", statuses=_INFO),
        _core("publish/orders/add", "orders add --api publish", "Add a CloudPublish order.",
              path="orders/add", effect=_ADD, resource="order", statuses=(201, 400)),
        _core("publish/orders/cancel", "orders cancel --api publish", "Cancel a CloudPublish order.",
              path="orders/cancel", effect=_CHANGE, required=("order_reference",), counter=("orders", "cancelled"),
              resource="order", conflict_message=_NOT_CANCELABLE, statuses=_CANCELED),
        _core("publish/orders/log", "orders log --api publish", "Show the states a CloudPublish order went through.",
              path="orders/log", required=("order_reference",), items_key="logs", resource="order", statuses=_LOG),
    )
}
# fmt: on


class ExtraField(NamedTuple):
    """A field of a call that takes no document; those of orders and quotes are in `order_documents.fields`.

    Every value is a string. `max_length` is in characters, 0 where none is documented; only CloudPublish has some.
    """

    resource: str
    name: str
    meaning: str
    example: str
    max_length: int = 0


_EXAMPLE_QUOTE = "a1e771f2e375bc33b5385fcc8091a328481bc45f3bff13de96ba0e7585ff936f"

EXTRA_FIELDS: dict[tuple[str, str], ExtraField] = {
    (row.resource, row.name): row
    for row in (
        ExtraField("order", "reference", "your own reference of the order", "order-1"),
        ExtraField("order", "order_reference", "your own reference of the order", "order-1"),
        ExtraField("quote", "quote", "the hash of an offer", _EXAMPLE_QUOTE),
        ExtraField("product", "reference", "the reference of the product", "textbook_pb_a4_p_bw"),
        ExtraField("country", "country_reference", "the country, ISO 3166-1 alpha-2", "US"),
        ExtraField("catalog", "catalog_reference", "the reference of the catalog", "catalog_1", 128),
        ExtraField("catalog", "name", "the name of the catalog", "First catalog", 64),
        ExtraField("catalog", "note", "a description of the catalog", "The first catalog for all my titles", 256),
        ExtraField("title", "isbn", "the ISBN, or the reference used in its place", "1234567890123", 128),
        ExtraField("title", "name", "the name of the title", "First title", 64),
        ExtraField("title", "note", "a description of the title", "The first title for all my titles", 256),
        ExtraField("product mix", "product_mix_reference", "the reference of the product mix", "product_mix_test"),
    )
}
