"""Which endpoints the sandbox has, and what stands between a request and the work of one: path, method, key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api import core_orders, core_products, publish_orders
from cpctl.sandbox.simulated_api import core_quotes as quotes
from cpctl.sandbox.simulated_api import publish_catalogs as publish_rules
from cpctl.sandbox.simulated_api.sandbox_response import (
    SandboxRefusal,
    SandboxResponse,
    error_response,
    publish_error_response,
)
from cpctl.sandbox.simulated_api.signal_status import accept_signals

__all__ = ["ROUTES", "Route", "SandboxResponse", "respond"]

# Does the work and returns the answer, or raises Refused and changes nothing.
Operation = Callable[[SandboxState, Mapping[str, object]], SandboxResponse]
# Writes a refusal: status, kind, detail.
ErrorWriter = Callable[[int, str, str], SandboxResponse]


@dataclass(frozen=True)
class Route:
    """One endpoint: where it is, whose key it takes, what it does, and how it refuses."""

    path: str  # without the last slash
    key_name: str  # the name of the key in State.keys
    operation: Operation
    wrong_key_status: int = HTTPStatus.UNAUTHORIZED
    write_error: ErrorWriter = error_response
    # Where the document of CloudPublish uses an address of CloudCore: what that address does for it.
    publish_operation: Operation | None = None

    def resolve_publish(self, state: SandboxState, body: object) -> "Route":
        """This endpoint, or what it is for a call of CloudPublish."""
        if (
            self.publish_operation is None
            or not isinstance(body, Mapping)
            or not publish_orders.is_publish_call(state, body)
        ):
            return self
        return Route(self.path, self.key_name, self.publish_operation, self.wrong_key_status, publish_error_response)


def _core_route(path: str, operation: Operation, publish_operation: Operation | None = None) -> Route:
    return Route(f"/cloudcore/1.0/{path}", "core", operation, HTTPStatus.FORBIDDEN, error_response, publish_operation)


def _publish_route(path: str, operation: Operation) -> Route:
    return Route(f"/cloudpublish/1.0/{path}", "core", operation, HTTPStatus.FORBIDDEN, publish_error_response)


# CloudSignal 1.1 documents two addresses for one endpoint: most of its samples say /1.1/status/. CloudPublish documents
# four of its calls at addresses of CloudCore.
ROUTES: dict[str, Route] = {
    row.path: row
    for row in (
        Route("/cloudsignal/2.0/status", "signal", partial(accept_signals, "2.0")),
        Route("/cloudsignal/1.1/status", "signal", partial(accept_signals, "1.1")),
        Route("/1.1/status", "signal", partial(accept_signals, "1.1")),
        _core_route("orders", core_orders.list_orders),
        _core_route("orders/info", core_orders.order_info, publish_orders.order_info),
        _core_route("orders/add", core_orders.add_order, publish_orders.add_order),
        _core_route("orders/cancel", core_orders.cancel_order, publish_orders.cancel_order),
        _core_route("orders/log", core_orders.order_log, publish_orders.order_log),
        _core_route("orders/quote", quotes.quote_order),
        _core_route("orders/quote/info", quotes.quote_info),
        _core_route("prices/lookup", quotes.quote_order),
        _core_route("products", core_products.list_products),
        _core_route("products/info", core_products.product_info),
        _core_route("shipping/levels", core_products.list_shipping_levels),
        _core_route("shipping/countries", core_products.list_shipping_countries),
        _core_route("shipping/states", core_products.list_shipping_states),
        _publish_route("catalogs", publish_rules.list_catalogs),
        _publish_route("catalogs/info", publish_rules.catalog_info),
        _publish_route("catalogs/add", publish_rules.add_catalog),
        _publish_route("catalogs/remove", publish_rules.remove_catalog),
        _publish_route("titles", publish_rules.list_titles),
        _publish_route("titles/info", publish_rules.title_info),
        _publish_route("titles/add", publish_rules.add_title),
        _publish_route("titles/remove", publish_rules.remove_title),
        _publish_route("products/mixes", publish_rules.list_product_mixes),
        _publish_route("products/mixes/info", publish_rules.product_mix_info),
        _publish_route("orders", publish_orders.list_orders),
        _publish_route("orders/info", publish_orders.order_info),
        _publish_route("orders/add", publish_orders.add_order),
        _publish_route("orders/cancel", publish_orders.cancel_order),
        _publish_route("orders/log", publish_orders.order_log),
    )
}


def respond(state: SandboxState, path: str, body: object, method: str = "POST") -> SandboxResponse:
    """What the service answers to a request, after its work is done; a body that is not JSON comes as None."""
    refuse: ErrorWriter = error_response
    try:
        with state.lock:
            state.run_due_steps()
            endpoint = _find_route(state, path, body)
            refuse = endpoint.write_error
            return _run_operation(state, endpoint, body, method)
    except SandboxRefusal as refused:
        said = refuse(refused.response.status, refused.error_type, refused.info)
        return SandboxResponse(said.status, state.mask_keys(said.body))


def _find_route(state: SandboxState, path: str, body: object) -> Route:
    endpoint = ROUTES.get(path.removesuffix("/"))
    if endpoint is None:
        raise SandboxRefusal("not_found", f"there is nothing at {path}", HTTPStatus.NOT_FOUND)
    return endpoint.resolve_publish(state, body)


def _run_operation(state: SandboxState, route: Route, body: object, method: str) -> SandboxResponse:
    if method != "POST":
        raise SandboxRefusal("method_not_allowed", f"{method} is not POST", HTTPStatus.METHOD_NOT_ALLOWED)
    if not isinstance(body, Mapping):
        raise SandboxRefusal("invalid_json", "the body is not a JSON object")
    _check_key(state, route, body)
    return route.operation(state, body)


def _check_key(state: SandboxState, route: Route, body: Mapping[str, object]) -> None:
    """Every interface has a key of its own (CloudSignal 2.0, "Authentication")."""
    given = body.get("apikey")
    if given == state.api_keys[route.key_name]:
        return
    others = [name for name, key in state.api_keys.items() if key == given]
    info = f"apikey is the {others[0]} key, not the {route.key_name} key" if others else "apikey is unknown"
    raise SandboxRefusal("authentication_failed", info if given else "apikey is missing", route.wrong_key_status)
