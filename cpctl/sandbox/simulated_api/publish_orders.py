"""Orders of CloudPublish: titles by their ISBN.

Source: CloudPublish API 1.0, "Order endpoints". The document puts info, add, cancel and log at the addresses of
CloudCore, whose own calls are different ones; at those both are taken here, told apart by `order_reference` and `isbn`.
"""

from collections.abc import Mapping
from http import HTTPStatus

from cpctl.reference_data.order_states import ORDER_STATES
from cpctl.sandbox.fixtures.product_options import TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import offers_to
from cpctl.sandbox.model.order_schedule import is_cancelable
from cpctl.sandbox.model.order_store import Details, File, Item, ItemDetail, Order
from cpctl.sandbox.model.publish_store import MIXES, Title
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.core_orders import tracking
from cpctl.sandbox.simulated_api.item_validation import check_unique
from cpctl.sandbox.simulated_api.order_validation import check_reference, read_addresses, read_level, read_mail
from cpctl.sandbox.simulated_api.publish_catalogs import counter
from cpctl.sandbox.simulated_api.request_fields import Body, missing, required, required_objects, shown, text, whole
from cpctl.sandbox.simulated_api.sandbox_response import NOTHING, Answer, Refused, ok
from cpctl.sandbox.virtual_clock import iso


def speaks_publish(state: State, body: Body) -> bool:
    """Whether a call at an address of CloudCore is one of CloudPublish."""
    if "order_reference" in body or _has_isbn(body.get("items")):
        return True
    # `orders/info` names the order by `reference` in both.
    reference = body.get("reference")
    if "items" in body or not isinstance(reference, str | int):
        return False
    order = state.orders.named(str(reference).strip())
    return order is not None and order.publish


def _has_isbn(items: object) -> bool:
    return isinstance(items, list) and any(isinstance(row, Mapping) and "isbn" in row for row in items)


def _named(state: State, body: Body, *names: str) -> Order | None:
    """The order a call is about, by the first of these fields that is there."""
    reference = next((value for name in names if (value := text(body, name))), "")
    if not reference:
        raise missing(names[0])
    order = state.orders.named(reference)
    return order if order is not None and order.publish else None


def list_orders(state: State, body: Body) -> Answer:
    """`orders`: those that were added by CloudPublish; 204 where there is none."""
    found = [
        {
            "order_reference": order.reference,
            "order_date": iso(order.born),
            "state_code": ORDER_STATES[order.state].code,
        }
        for order in state.orders.publish()
    ]
    return ok({"orders": found}) if found else NOTHING


def order_info(state: State, body: Body) -> Answer:
    """`orders/info`: asked for by `reference`, answered with `order_reference`."""
    order = _named(state, body, "reference", "order_reference")
    if order is None:
        return NOTHING
    return ok(
        {
            "order_reference": order.reference,
            "state_code": ORDER_STATES[order.state].code,
            "order_date": iso(order.born),
            "email": order.details.email,
            "addresses": order.details.addresses,
            "items": [_item(order.detail(item), item) for item in order.items.values()],
        }
    )


def _item(detail: ItemDetail, item: Item) -> dict[str, object]:
    return {
        "item_reference": detail.reference,
        "catalog_reference": detail.catalog,
        "isbn": detail.isbn,
        "quantity": detail.copies,
        "tracking": tracking(item),
    }


def add_order(state: State, body: Body) -> Answer:
    """`orders/add`: 201 and `order`, as the example has it; the table calls it `order_reference`."""
    reference = required(body, "order_reference")
    check_reference(state, reference)
    mail = read_mail(body)
    addresses = read_addresses(body)
    items = [_ordered(state, row, addresses[0]["country"]) for row in required_objects(body, "items")]
    check_unique(item.reference for item in items)
    for item in items:
        state.publish.titles[item.isbn].used += 1
    state.add_order(reference, Details(mail, addresses, items), publish=True)
    return Answer(HTTPStatus.CREATED, {"order": reference})


def _ordered(state: State, row: Body, country: str) -> ItemDetail:
    reference, catalog = required(row, "item_reference"), required(row, "catalog_reference")
    title = _title(state, catalog, required(row, "isbn"))
    count = whole(row, "quantity")
    # The example has a level, the table has none.
    level = text(row, "shipping_level")
    offer = read_level(level, country) if level else offers_to(country)[0]
    mix = MIXES[title.mix]
    options = ((TOTAL_PAGES, title.pages), *((name, 1) for name in mix.options))
    files = tuple(File(file.type, file.url, file.md5sum) for file in title.files)
    return ItemDetail(
        reference,
        mix.product,
        title.name,
        count,
        "product",
        offer.option,
        offer.reference,
        options,
        files,
        catalog,
        title.isbn,
    )


def _title(state: State, catalog: str, isbn: str) -> Title:
    if catalog not in state.publish.catalogs:
        raise Refused("catalog_unknown", shown(catalog))
    title = state.publish.titles.get(isbn)
    if title is None or title.catalog != catalog:
        raise Refused("isbn_unknown", shown(isbn))
    return title


def cancel_order(state: State, body: Body) -> Answer:
    """`orders/cancel`: how many orders it canceled, with the two l of the document."""
    order = _named(state, body, "order_reference", "reference")
    if order is None:
        return counter(HTTPStatus.GONE, "orders", "cancelled", 0)
    if not is_cancelable(order.state):
        return counter(HTTPStatus.CONFLICT, "orders", "cancelled", 0)
    state.life.cancel(order, state.now())
    return counter(HTTPStatus.OK, "orders", "cancelled", 1)


def order_log(state: State, body: Body) -> Answer:
    """`orders/log`: every state of an order, oldest first, by its text only."""
    order = _named(state, body, "order_reference", "reference")
    if order is None:
        return NOTHING
    return ok(
        {
            "logs": [
                {
                    "order_reference": order.reference,
                    "create_date": iso(entry.time),
                    "state_code": ORDER_STATES[entry.state].code,
                }
                for entry in order.log
            ]
        }
    )
