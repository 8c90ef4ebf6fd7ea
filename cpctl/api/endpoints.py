"""A row per endpoint: its path, which key it takes, what it does, and how its answer is wrapped.

Sources: CloudCore 1.0, CloudPublish 1.0 and CloudSignal 1.1 and 2.0, one section per endpoint;
`prices/lookup` has a page of its own ("How to check prices"), `orders/quote/info` is known from
the official SDKs.
"""

from enum import Enum
from typing import NamedTuple


class Effect(Enum):
    """What a call does, and so whether it may be repeated when no answer came."""

    READ = "reads; may be repeated"
    CHANGE = "changes something; repeated only where the request certainly never left"
    ADD_ORDER = "adds an order; never repeated"


class Endpoint(NamedTuple):
    """One URL of the service. Every call is a POST with a JSON object that holds the key.

    `required` are the fields of the request; `items` is the key under which a list is wrapped
    ("" for a bare list or an object); `empty` says that 204 means an empty list, not a thing that
    is missing; `counts` are the thing and the word of the counter that says what was done. `thing`
    is what one call is about, in a person's words, and `conflict` what a 409 says of it. `commands`
    are those that make the call, its own first; `answers` are the documented statuses.
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
    conflict_message: str = "exists already"
    commands: tuple[str, ...] = ()
    meaning: str = ""
    statuses: tuple[int, ...] = (200, 400)


_CORE_PATH = "/cloudcore/1.0"
_PUBLISH_PATH = "/cloudpublish/1.0"
_READ, _CHANGE, _ADD = Effect.READ, Effect.CHANGE, Effect.ADD_ORDER
_SIGNAL_STATUSES, _LIST_STATUSES, _INFO_STATUSES, _ADD_ORDER_STATUSES = (
    (200, 400, 401, 403),
    (200, 400, 403),
    (200, 204, 400, 403),
    (201, 400),
)
_ADD_STATUSES, _REMOVE_STATUSES, _CANCEL_STATUSES = (
    (200, 400, 403, 409),
    (200, 400, 403, 410),
    (200, 400, 403, 409, 410),
)
_CATALOG_FIELDS, _ISBN_FIELDS, _PRODUCT_MIX_FIELDS = ("catalog_reference",), ("isbn",), ("product_mix_reference",)

ENDPOINTS: dict[str, Endpoint] = {
    row.name: row
    for row in (
        # CloudSignal. The documents show 1.1 at two paths; a profile names one.
        Endpoint("signal-2.0", "/cloudsignal/2.0/status/", "signal", _CHANGE, statuses=_SIGNAL_STATUSES),
        Endpoint("signal-1.1", "/1.1/status/", "signal", _CHANGE, statuses=_SIGNAL_STATUSES),
        Endpoint("signal-1.1-alternative", "/cloudsignal/1.1/status/", "signal", _CHANGE, statuses=_SIGNAL_STATUSES),
        # CloudCore
        Endpoint(
            "orders",
            f"{_CORE_PATH}/orders/",
            allows_empty=True,
            commands=("orders list",),
            meaning="List all orders of the account.",
            statuses=_INFO_STATUSES,
        ),
        Endpoint(
            "orders/info",
            f"{_CORE_PATH}/orders/info",
            required=("reference",),
            resource="order",
            commands=("orders info", "orders wait"),
            meaning="Show an order whole.",
            statuses=(200, 400, 410),
        ),
        Endpoint(
            "orders/add",
            f"{_CORE_PATH}/orders/add",
            effect=_ADD,
            resource="order",
            commands=("orders add",),
            meaning="Add an order.",
            statuses=_ADD_ORDER_STATUSES,
        ),
        Endpoint(
            "orders/cancel",
            f"{_CORE_PATH}/orders/cancel",
            effect=_CHANGE,
            required=("reference",),
            resource="order",
            conflict_message="cannot be canceled in the state it is in",
            commands=("orders cancel",),
            meaning="Ask for an order to be canceled.",
            statuses=_CANCEL_STATUSES,
        ),
        # An order of CloudPublish, which has the same address, answers with its log wrapped.
        Endpoint(
            "orders/log",
            f"{_CORE_PATH}/orders/log",
            required=("reference",),
            items_key="logs",
            resource="order",
            commands=("orders log",),
            meaning="Show the states an order went through.",
            statuses=(200, 204, 400),
        ),
        Endpoint(
            "orders/quote",
            f"{_CORE_PATH}/orders/quote",
            required=("country", "items"),
            commands=("quote get",),
            meaning="Ask for offers for each shipment; they hold for 48 hours.",
        ),
        Endpoint(
            "orders/quote/info",
            f"{_CORE_PATH}/orders/quote/info",
            required=("quote",),
            resource="quote",
            commands=("quote info",),
            meaning="Show what is known of an offer.",
            statuses=(200, 204, 400),
        ),
        Endpoint(
            "prices/lookup",
            f"{_CORE_PATH}/prices/lookup",
            required=("country", "items"),
            commands=("quote price",),
            meaning="Look up prices: the same as a quote, faster, and limited in how often.",
        ),
        Endpoint(
            "products",
            f"{_CORE_PATH}/products",
            allows_empty=True,
            commands=("products list",),
            meaning="List the products enabled for the account.",
            statuses=_INFO_STATUSES,
        ),
        Endpoint(
            "products/info",
            f"{_CORE_PATH}/products/info",
            required=("reference",),
            resource="product",
            commands=("products info",),
            meaning="Show options, files and measures of a product.",
            statuses=(200, 204, 400),
        ),
        Endpoint(
            "shipping/levels",
            f"{_CORE_PATH}/shipping/levels",
            allows_empty=True,
            commands=("shipping levels",),
            meaning="List the shipping levels.",
            statuses=_LIST_STATUSES,
        ),
        Endpoint(
            "shipping/countries",
            f"{_CORE_PATH}/shipping/countries",
            allows_empty=True,
            commands=("shipping countries",),
            meaning="List the countries that are shipped to.",
        ),
        Endpoint(
            "shipping/states",
            f"{_CORE_PATH}/shipping/states",
            required=("country_reference",),
            allows_empty=True,
            resource="country",
            commands=("shipping states",),
            meaning="List the states of a country.",
        ),
        # CloudPublish
        Endpoint(
            "catalogs",
            f"{_PUBLISH_PATH}/catalogs",
            items_key="catalogs",
            allows_empty=True,
            commands=("catalogs list",),
            meaning="List the catalogs of the account.",
            statuses=_LIST_STATUSES,
        ),
        Endpoint(
            "catalogs/info",
            f"{_PUBLISH_PATH}/catalogs/info",
            required=_CATALOG_FIELDS,
            resource="catalog",
            commands=("catalogs info",),
            meaning="Show a catalog, and how many titles it has.",
            statuses=_INFO_STATUSES,
        ),
        Endpoint(
            "catalogs/add",
            f"{_PUBLISH_PATH}/catalogs/add",
            effect=_CHANGE,
            required=(*_CATALOG_FIELDS, "name", "note"),
            counter=("catalogs", "added"),
            resource="catalog",
            commands=("catalogs add",),
            meaning="Add a catalog.",
            statuses=_ADD_STATUSES,
        ),
        Endpoint(
            "catalogs/remove",
            f"{_PUBLISH_PATH}/catalogs/remove",
            effect=_CHANGE,
            required=_CATALOG_FIELDS,
            counter=("catalogs", "removed"),
            resource="catalog",
            commands=("catalogs remove",),
            meaning="Remove a catalog.",
            statuses=_REMOVE_STATUSES,
        ),
        Endpoint(
            "titles",
            f"{_PUBLISH_PATH}/titles",
            required=_CATALOG_FIELDS,
            items_key="titles",
            allows_empty=True,
            resource="catalog",
            commands=("titles list",),
            meaning="List the titles of a catalog.",
            statuses=_LIST_STATUSES,
        ),
        Endpoint(
            "titles/info",
            f"{_PUBLISH_PATH}/titles/info",
            required=_ISBN_FIELDS,
            resource="title",
            commands=("titles info",),
            meaning="Show a title with its files.",
            statuses=_INFO_STATUSES,
        ),
        Endpoint(
            "titles/add",
            f"{_PUBLISH_PATH}/titles/add",
            effect=_CHANGE,
            required=(*_ISBN_FIELDS, "name", "note"),
            counter=("titles", "added"),
            resource="title",
            commands=("titles add",),
            meaning="Add a title.",
            statuses=_ADD_STATUSES,
        ),
        Endpoint(
            "titles/remove",
            f"{_PUBLISH_PATH}/titles/remove",
            effect=_CHANGE,
            required=_ISBN_FIELDS,
            counter=("titles", "removed"),
            resource="title",
            commands=("titles remove",),
            meaning="Remove a title.",
            statuses=_REMOVE_STATUSES,
        ),
        Endpoint(
            "products/mixes",
            f"{_PUBLISH_PATH}/products/mixes",
            items_key="mixes",
            allows_empty=True,
            commands=("products mixes",),
            meaning="List the product mixes.",
            statuses=_LIST_STATUSES,
        ),
        Endpoint(
            "products/mixes/info",
            f"{_PUBLISH_PATH}/products/mixes/info",
            required=_PRODUCT_MIX_FIELDS,
            resource="product mix",
            commands=("products mix",),
            meaning="Show the product and the options of a product mix.",
            statuses=_INFO_STATUSES,
        ),
        # CloudPublish orders: the documents show all but the list at CloudCore's addresses.
        Endpoint(
            "publish/orders",
            f"{_PUBLISH_PATH}/orders",
            items_key="orders",
            allows_empty=True,
            commands=("orders list --api publish",),
            meaning="List all orders of titles.",
            statuses=_INFO_STATUSES,
        ),
        Endpoint(
            "publish/orders/info",
            f"{_CORE_PATH}/orders/info",
            required=("reference",),
            resource="order",
            commands=("orders info --api publish",),
            meaning="Show an order of titles whole.",
            statuses=_INFO_STATUSES,
        ),
        Endpoint(
            "publish/orders/add",
            f"{_CORE_PATH}/orders/add",
            effect=_ADD,
            resource="order",
            commands=("orders add --api publish",),
            meaning="Add an order of titles.",
            statuses=_ADD_ORDER_STATUSES,
        ),
        Endpoint(
            "publish/orders/cancel",
            f"{_CORE_PATH}/orders/cancel",
            effect=_CHANGE,
            required=("order_reference",),
            counter=("orders", "cancelled"),
            resource="order",
            conflict_message="cannot be canceled in the state it is in",
            commands=("orders cancel --api publish",),
            meaning="Cancel an order of titles.",
            statuses=_CANCEL_STATUSES,
        ),
        Endpoint(
            "publish/orders/log",
            f"{_CORE_PATH}/orders/log",
            required=("order_reference",),
            items_key="logs",
            resource="order",
            commands=("orders log --api publish",),
            meaning="Show the states an order of titles went through.",
            statuses=(200, 204, 400),
        ),
    )
}
