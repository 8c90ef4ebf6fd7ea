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
    is what one call is about, in a person's words, and `conflict` what a 409 says of it.
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


_CORE = "/cloudcore/1.0"
_PUBLISH = "/cloudpublish/1.0"
_READ, _CHANGE, _ADD = Effect.READ, Effect.CHANGE, Effect.ADD_ORDER
_CATALOG, _ISBN, _MIX = ("catalog_reference",), ("isbn",), ("product_mix_reference",)

ENDPOINTS: dict[str, Endpoint] = {
    row.name: row
    for row in (
        # CloudSignal. The documents show 1.1 at two paths; a profile names one.
        Endpoint("signal-2.0", "/cloudsignal/2.0/status/", "signal", _CHANGE),
        Endpoint("signal-1.1", "/1.1/status/", "signal", _CHANGE),
        Endpoint("signal-1.1-alternative", "/cloudsignal/1.1/status/", "signal", _CHANGE),
        # CloudCore
        Endpoint("orders", f"{_CORE}/orders/", empty=True),
        Endpoint("orders/info", f"{_CORE}/orders/info", required=("reference",), thing="order"),
        Endpoint("orders/add", f"{_CORE}/orders/add", effect=_ADD, thing="order"),
        Endpoint(
            "orders/cancel",
            f"{_CORE}/orders/cancel",
            effect=_CHANGE,
            required=("reference",),
            thing="order",
            conflict="cannot be canceled in the state it is in",
        ),
        # An order of CloudPublish, which has the same address, answers with its log wrapped.
        Endpoint("orders/log", f"{_CORE}/orders/log", required=("reference",), items="logs", thing="order"),
        Endpoint("orders/quote", f"{_CORE}/orders/quote", required=("country", "items")),
        Endpoint("orders/quote/info", f"{_CORE}/orders/quote/info", required=("quote",), thing="quote"),
        Endpoint("prices/lookup", f"{_CORE}/prices/lookup", required=("country", "items")),
        Endpoint("products", f"{_CORE}/products", empty=True),
        Endpoint("products/info", f"{_CORE}/products/info", required=("reference",), thing="product"),
        Endpoint("shipping/levels", f"{_CORE}/shipping/levels", empty=True),
        Endpoint("shipping/countries", f"{_CORE}/shipping/countries", empty=True),
        Endpoint(
            "shipping/states", f"{_CORE}/shipping/states", required=("country_reference",), empty=True, thing="country"
        ),
        # CloudPublish
        Endpoint("catalogs", f"{_PUBLISH}/catalogs", items="catalogs", empty=True),
        Endpoint("catalogs/info", f"{_PUBLISH}/catalogs/info", required=_CATALOG, thing="catalog"),
        Endpoint(
            "catalogs/add",
            f"{_PUBLISH}/catalogs/add",
            effect=_CHANGE,
            required=(*_CATALOG, "name", "note"),
            counts=("catalogs", "added"),
            thing="catalog",
        ),
        Endpoint(
            "catalogs/remove",
            f"{_PUBLISH}/catalogs/remove",
            effect=_CHANGE,
            required=_CATALOG,
            counts=("catalogs", "removed"),
            thing="catalog",
        ),
        Endpoint("titles", f"{_PUBLISH}/titles", required=_CATALOG, items="titles", empty=True, thing="catalog"),
        Endpoint("titles/info", f"{_PUBLISH}/titles/info", required=_ISBN, thing="title"),
        Endpoint(
            "titles/add",
            f"{_PUBLISH}/titles/add",
            effect=_CHANGE,
            required=(*_ISBN, "name", "note"),
            counts=("titles", "added"),
            thing="title",
        ),
        Endpoint(
            "titles/remove",
            f"{_PUBLISH}/titles/remove",
            effect=_CHANGE,
            required=_ISBN,
            counts=("titles", "removed"),
            thing="title",
        ),
        Endpoint("products/mixes", f"{_PUBLISH}/products/mixes", items="mixes", empty=True),
        Endpoint("products/mixes/info", f"{_PUBLISH}/products/mixes/info", required=_MIX, thing="product mix"),
        # CloudPublish orders: the documents show all but the list at CloudCore's addresses.
        Endpoint("publish/orders", f"{_PUBLISH}/orders", items="orders", empty=True),
        Endpoint("publish/orders/info", f"{_CORE}/orders/info", required=("reference",), thing="order"),
        Endpoint("publish/orders/add", f"{_CORE}/orders/add", effect=_ADD, thing="order"),
        Endpoint(
            "publish/orders/cancel",
            f"{_CORE}/orders/cancel",
            effect=_CHANGE,
            required=("order_reference",),
            counts=("orders", "cancelled"),
            thing="order",
            conflict="cannot be canceled in the state it is in",
        ),
        Endpoint(
            "publish/orders/log", f"{_CORE}/orders/log", required=("order_reference",), items="logs", thing="order"
        ),
    )
}
