"""Which endpoints the sandbox has, and what stands between a request and the work of one: path, method, key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api import core_orders, core_products, publish_orders
from cpctl.sandbox.simulated_api import core_quotes as quotes
from cpctl.sandbox.simulated_api import publish_catalogs as publish_rules
from cpctl.sandbox.simulated_api.sandbox_response import Answer, Refused, error, publish_error
from cpctl.sandbox.simulated_api.signal_status import take_signals

__all__ = ["ENDPOINTS", "Answer", "Endpoint", "answer"]

# Does the work and returns the answer, or raises Refused and changes nothing.
Work = Callable[[State, Mapping[str, object]], Answer]
# Writes a refusal: status, kind, detail.
Writer = Callable[[int, str, str], Answer]


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: where it is, whose key it takes, what it does, and how it refuses."""

    path: str  # without the last slash
    key: str  # the name of the key in State.keys
    work: Work
    key_refused: int = HTTPStatus.UNAUTHORIZED
    refuse: Writer = error
    # Where the document of CloudPublish uses an address of CloudCore: what that address does for it.
    publish: Work | None = None

    def in_dialect(self, state: State, body: object) -> "Endpoint":
        """This endpoint, or what it is for a call of CloudPublish."""
        if self.publish is None or not isinstance(body, Mapping) or not publish_orders.speaks_publish(state, body):
            return self
        return Endpoint(self.path, self.key, self.publish, self.key_refused, publish_error)


def _core(path: str, work: Work, publish: Work | None = None) -> Endpoint:
    return Endpoint(f"/cloudcore/1.0/{path}", "core", work, HTTPStatus.FORBIDDEN, error, publish)


def _publish(path: str, work: Work) -> Endpoint:
    return Endpoint(f"/cloudpublish/1.0/{path}", "core", work, HTTPStatus.FORBIDDEN, publish_error)


# CloudSignal 1.1 documents two addresses for one endpoint: most of its samples say /1.1/status/. CloudPublish documents
# four of its calls at addresses of CloudCore.
ENDPOINTS: dict[str, Endpoint] = {
    row.path: row
    for row in (
        Endpoint("/cloudsignal/2.0/status", "signal", partial(take_signals, "2.0")),
        Endpoint("/cloudsignal/1.1/status", "signal", partial(take_signals, "1.1")),
        Endpoint("/1.1/status", "signal", partial(take_signals, "1.1")),
        _core("orders", core_orders.list_orders),
        _core("orders/info", core_orders.order_info, publish_orders.order_info),
        _core("orders/add", core_orders.add_order, publish_orders.add_order),
        _core("orders/cancel", core_orders.cancel_order, publish_orders.cancel_order),
        _core("orders/log", core_orders.order_log, publish_orders.order_log),
        _core("orders/quote", quotes.quote),
        _core("orders/quote/info", quotes.quote_info),
        _core("prices/lookup", quotes.quote),
        _core("products", core_products.list_products),
        _core("products/info", core_products.product_info),
        _core("shipping/levels", core_products.list_levels),
        _core("shipping/countries", core_products.list_countries),
        _core("shipping/states", core_products.list_states),
        _publish("catalogs", publish_rules.list_catalogs),
        _publish("catalogs/info", publish_rules.catalog_info),
        _publish("catalogs/add", publish_rules.add_catalog),
        _publish("catalogs/remove", publish_rules.remove_catalog),
        _publish("titles", publish_rules.list_titles),
        _publish("titles/info", publish_rules.title_info),
        _publish("titles/add", publish_rules.add_title),
        _publish("titles/remove", publish_rules.remove_title),
        _publish("products/mixes", publish_rules.list_mixes),
        _publish("products/mixes/info", publish_rules.mix_info),
        _publish("orders", publish_orders.list_orders),
        _publish("orders/info", publish_orders.order_info),
        _publish("orders/add", publish_orders.add_order),
        _publish("orders/cancel", publish_orders.cancel_order),
        _publish("orders/log", publish_orders.order_log),
    )
}


def answer(state: State, path: str, body: object, method: str = "POST") -> Answer:
    """What the service answers to a request, after its work is done; a body that is not JSON comes as None."""
    refuse: Writer = error
    try:
        with state.lock:
            state.settle()
            endpoint = _endpoint(state, path, body)
            refuse = endpoint.refuse
            return _answer(state, endpoint, body, method)
    except Refused as refused:
        said = refuse(refused.answer.status, refused.kind, refused.info)
        return Answer(said.status, state.masked(said.body))


def _endpoint(state: State, path: str, body: object) -> Endpoint:
    endpoint = ENDPOINTS.get(path.removesuffix("/"))
    if endpoint is None:
        raise Refused("not_found", f"there is nothing at {path}", HTTPStatus.NOT_FOUND)
    return endpoint.in_dialect(state, body)


def _answer(state: State, endpoint: Endpoint, body: object, method: str) -> Answer:
    if method != "POST":
        raise Refused("method_not_allowed", f"{method} is not POST", HTTPStatus.METHOD_NOT_ALLOWED)
    if not isinstance(body, Mapping):
        raise Refused("invalid_json", "the body is not a JSON object")
    _check_key(state, endpoint, body)
    return endpoint.work(state, body)


def _check_key(state: State, endpoint: Endpoint, body: Mapping[str, object]) -> None:
    """Every interface has a key of its own (CloudSignal 2.0, "Authentication")."""
    given = body.get("apikey")
    if given == state.keys[endpoint.key]:
        return
    others = [name for name, key in state.keys.items() if key == given]
    info = f"apikey is the {others[0]} key, not the {endpoint.key} key" if others else "apikey is unknown"
    raise Refused("authentication_failed", info if given else "apikey is missing", endpoint.key_refused)
