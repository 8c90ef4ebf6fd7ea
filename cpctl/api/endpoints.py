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
    items: str = ""
    empty: bool = False
    counts: tuple[str, str] | None = None
    thing: str = ""
    conflict: str = "exists already"
    commands: tuple[str, ...] = ()
    meaning: str = ""
    answers: tuple[int, ...] = (200, 400)


_CORE = "/cloudcore/1.0"
_PUBLISH = "/cloudpublish/1.0"
_READ, _CHANGE, _ADD = Effect.READ, Effect.CHANGE, Effect.ADD_ORDER
_SIGNAL, _LISTED, _FOUND, _ADDED = (200, 400, 401, 403), (200, 400, 403), (200, 204, 400, 403), (201, 400)
_NEW, _REMOVED, _CANCELED = (200, 400, 403, 409), (200, 400, 403, 410), (200, 400, 403, 409, 410)
_CATALOG, _ISBN, _MIX = ("catalog_reference",), ("isbn",), ("product_mix_reference",)

ENDPOINTS: dict[str, Endpoint] = {
    row.name: row
    for row in (
        # CloudSignal. The documents show 1.1 at two paths; a profile names one.
        Endpoint("signal-2.0", "/cloudsignal/2.0/status/", "signal", _CHANGE, answers=_SIGNAL),
        Endpoint("signal-1.1", "/1.1/status/", "signal", _CHANGE, answers=_SIGNAL),
        Endpoint("signal-1.1-alternative", "/cloudsignal/1.1/status/", "signal", _CHANGE, answers=_SIGNAL),
        # CloudCore
        Endpoint(
            "orders",
            f"{_CORE}/orders/",
            empty=True,
            commands=("orders list",),
            meaning="List all orders of the account.",
            answers=_FOUND,
        ),
        Endpoint(
            "orders/info",
            f"{_CORE}/orders/info",
            required=("reference",),
            thing="order",
            commands=("orders info", "orders wait"),
            meaning="Show an order whole.",
            answers=(200, 400, 410),
        ),
        Endpoint(
            "orders/add",
            f"{_CORE}/orders/add",
            effect=_ADD,
            thing="order",
            commands=("orders add",),
            meaning="Add an order.",
            answers=_ADDED,
        ),
        Endpoint(
            "orders/cancel",
            f"{_CORE}/orders/cancel",
            effect=_CHANGE,
            required=("reference",),
            thing="order",
            conflict="cannot be canceled in the state it is in",
            commands=("orders cancel",),
            meaning="Ask for an order to be canceled.",
            answers=_CANCELED,
        ),
        # An order of CloudPublish, which has the same address, answers with its log wrapped.
        Endpoint(
            "orders/log",
            f"{_CORE}/orders/log",
            required=("reference",),
            items="logs",
            thing="order",
            commands=("orders log",),
            meaning="Show the states an order went through.",
            answers=(200, 204, 400),
        ),
        Endpoint(
            "orders/quote",
            f"{_CORE}/orders/quote",
            required=("country", "items"),
            commands=("quote get",),
            meaning="Ask for offers for each shipment; they hold for 48 hours.",
        ),
        Endpoint(
            "orders/quote/info",
            f"{_CORE}/orders/quote/info",
            required=("quote",),
            thing="quote",
            commands=("quote info",),
            meaning="Show what is known of an offer.",
            answers=(200, 204, 400),
        ),
        Endpoint(
            "prices/lookup",
            f"{_CORE}/prices/lookup",
            required=("country", "items"),
            commands=("quote price",),
            meaning="Look up prices: the same as a quote, faster, and limited in how often.",
        ),
        Endpoint(
            "products",
            f"{_CORE}/products",
            empty=True,
            commands=("products list",),
            meaning="List the products enabled for the account.",
            answers=_FOUND,
        ),
        Endpoint(
            "products/info",
            f"{_CORE}/products/info",
            required=("reference",),
            thing="product",
            commands=("products info",),
            meaning="Show options, files and measures of a product.",
            answers=(200, 204, 400),
        ),
        Endpoint(
            "shipping/levels",
            f"{_CORE}/shipping/levels",
            empty=True,
            commands=("shipping levels",),
            meaning="List the shipping levels.",
            answers=_LISTED,
        ),
        Endpoint(
            "shipping/countries",
            f"{_CORE}/shipping/countries",
            empty=True,
            commands=("shipping countries",),
            meaning="List the countries that are shipped to.",
        ),
        Endpoint(
            "shipping/states",
            f"{_CORE}/shipping/states",
            required=("country_reference",),
            empty=True,
            thing="country",
            commands=("shipping states",),
            meaning="List the states of a country.",
        ),
        # CloudPublish
        Endpoint(
            "catalogs",
            f"{_PUBLISH}/catalogs",
            items="catalogs",
            empty=True,
            commands=("catalogs list",),
            meaning="List the catalogs of the account.",
            answers=_LISTED,
        ),
        Endpoint(
            "catalogs/info",
            f"{_PUBLISH}/catalogs/info",
            required=_CATALOG,
            thing="catalog",
            commands=("catalogs info",),
            meaning="Show a catalog, and how many titles it has.",
            answers=_FOUND,
        ),
        Endpoint(
            "catalogs/add",
            f"{_PUBLISH}/catalogs/add",
            effect=_CHANGE,
            required=(*_CATALOG, "name", "note"),
            counts=("catalogs", "added"),
            thing="catalog",
            commands=("catalogs add",),
            meaning="Add a catalog.",
            answers=_NEW,
        ),
        Endpoint(
            "catalogs/remove",
            f"{_PUBLISH}/catalogs/remove",
            effect=_CHANGE,
            required=_CATALOG,
            counts=("catalogs", "removed"),
            thing="catalog",
            commands=("catalogs remove",),
            meaning="Remove a catalog.",
            answers=_REMOVED,
        ),
        Endpoint(
            "titles",
            f"{_PUBLISH}/titles",
            required=_CATALOG,
            items="titles",
            empty=True,
            thing="catalog",
            commands=("titles list",),
            meaning="List the titles of a catalog.",
            answers=_LISTED,
        ),
        Endpoint(
            "titles/info",
            f"{_PUBLISH}/titles/info",
            required=_ISBN,
            thing="title",
            commands=("titles info",),
            meaning="Show a title with its files.",
            answers=_FOUND,
        ),
        Endpoint(
            "titles/add",
            f"{_PUBLISH}/titles/add",
            effect=_CHANGE,
            required=(*_ISBN, "name", "note"),
            counts=("titles", "added"),
            thing="title",
            commands=("titles add",),
            meaning="Add a title.",
            answers=_NEW,
        ),
        Endpoint(
            "titles/remove",
            f"{_PUBLISH}/titles/remove",
            effect=_CHANGE,
            required=_ISBN,
            counts=("titles", "removed"),
            thing="title",
            commands=("titles remove",),
            meaning="Remove a title.",
            answers=_REMOVED,
        ),
        Endpoint(
            "products/mixes",
            f"{_PUBLISH}/products/mixes",
            items="mixes",
            empty=True,
            commands=("products mixes",),
            meaning="List the product mixes.",
            answers=_LISTED,
        ),
        Endpoint(
            "products/mixes/info",
            f"{_PUBLISH}/products/mixes/info",
            required=_MIX,
            thing="product mix",
            commands=("products mix",),
            meaning="Show the product and the options of a product mix.",
            answers=_FOUND,
        ),
        # CloudPublish orders: the documents show all but the list at CloudCore's addresses.
        Endpoint(
            "publish/orders",
            f"{_PUBLISH}/orders",
            items="orders",
            empty=True,
            commands=("orders list --api publish",),
            meaning="List all orders of titles.",
            answers=_FOUND,
        ),
        Endpoint(
            "publish/orders/info",
            f"{_CORE}/orders/info",
            required=("reference",),
            thing="order",
            commands=("orders info --api publish",),
            meaning="Show an order of titles whole.",
            answers=_FOUND,
        ),
        Endpoint(
            "publish/orders/add",
            f"{_CORE}/orders/add",
            effect=_ADD,
            thing="order",
            commands=("orders add --api publish",),
            meaning="Add an order of titles.",
            answers=_ADDED,
        ),
        Endpoint(
            "publish/orders/cancel",
            f"{_CORE}/orders/cancel",
            effect=_CHANGE,
            required=("order_reference",),
            counts=("orders", "cancelled"),
            thing="order",
            conflict="cannot be canceled in the state it is in",
            commands=("orders cancel --api publish",),
            meaning="Cancel an order of titles.",
            answers=_CANCELED,
        ),
        Endpoint(
            "publish/orders/log",
            f"{_CORE}/orders/log",
            required=("order_reference",),
            items="logs",
            thing="order",
            commands=("orders log --api publish",),
            meaning="Show the states an order of titles went through.",
            answers=(200, 204, 400),
        ),
    )
}
