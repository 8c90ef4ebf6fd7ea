"""The endpoints of the sandbox, and the checks before each: path, method, key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api import core_orders, core_products, core_quotes, publish_catalogs, publish_orders
from cpctl.sandbox.simulated_api.request_body import RequestBody
from cpctl.sandbox.simulated_api.sandbox_response import (
    SandboxRefusal,
    SandboxResponse,
    error_response,
    publish_error_response,
)
from cpctl.sandbox.simulated_api.signal_status import accept_signals

# Processes a request and returns the response, or raises SandboxRefusal and changes nothing.
Operation = Callable[[SandboxState, RequestBody], SandboxResponse]
# Writes a refusal: status, error type, info.
ErrorWriter = Callable[[int, str, str], SandboxResponse]


@dataclass(frozen=True)
class Route:
    """One endpoint: its path, the key it accepts, its operation, and the shape of its errors."""

    path: str  # without the trailing slash
    key_name: str  # in SandboxState.api_keys
    operation: Operation
    wrong_key_status: int = HTTPStatus.UNAUTHORIZED
    write_error: ErrorWriter = error_response
    # For a path of CloudCore that the document of CloudPublish uses as well: the operation of CloudPublish.
    publish_operation: Operation | None = None

    def resolve_publish(self, state: SandboxState, body: object) -> "Route":
        """This endpoint, or its variant for a call of CloudPublish."""
        operation = self.publish_operation
        if operation and isinstance(body, Mapping) and publish_orders.is_publish_call(state, body):
            return replace(self, operation=operation, write_error=publish_error_response)
        return self


def _core_route(path: str, operation: Operation, publish_operation: Operation | None = None) -> Route:
    return Route(f"/cloudcore/1.0/{path}", "core", operation, HTTPStatus.FORBIDDEN, error_response, publish_operation)


def _publish_route(path: str, operation: Operation) -> Route:
    return Route(f"/cloudpublish/1.0/{path}", "core", operation, HTTPStatus.FORBIDDEN, publish_error_response)


# CloudSignal 1.1 documents two paths for one endpoint: most of its samples use /1.1/status/. CloudPublish documents
# four of its calls at paths of CloudCore.
ROUTES: dict[str, Route] = {
    route.path: route
    for route in (
        Route("/cloudsignal/2.0/status", "signal", partial(accept_signals, "2.0")),
        Route("/cloudsignal/1.1/status", "signal", partial(accept_signals, "1.1")),
        Route("/1.1/status", "signal", partial(accept_signals, "1.1")),
        _core_route("orders", core_orders.list_orders),
        _core_route("orders/info", core_orders.order_info, publish_orders.order_info),
        _core_route("orders/add", core_orders.add_order, publish_orders.add_order),
        _core_route("orders/cancel", core_orders.cancel_order, publish_orders.cancel_order),
        _core_route("orders/log", core_orders.order_log, publish_orders.order_log),
        _core_route("orders/quote", core_quotes.quote_order),
        _core_route("orders/quote/info", core_quotes.quote_info),
        _core_route("prices/lookup", core_quotes.quote_order),
        _core_route("products", core_products.list_products),
        _core_route("products/info", core_products.product_info),
        _core_route("shipping/levels", core_products.list_shipping_levels),
        _core_route("shipping/countries", core_products.list_shipping_countries),
        _core_route("shipping/states", core_products.list_shipping_states),
        _publish_route("catalogs", publish_catalogs.list_catalogs),
        _publish_route("catalogs/info", publish_catalogs.catalog_info),
        _publish_route("catalogs/add", publish_catalogs.add_catalog),
        _publish_route("catalogs/remove", publish_catalogs.remove_catalog),
        _publish_route("titles", publish_catalogs.list_titles),
        _publish_route("titles/info", publish_catalogs.title_info),
        _publish_route("titles/add", publish_catalogs.add_title),
        _publish_route("titles/remove", publish_catalogs.remove_title),
        _publish_route("products/mixes", publish_catalogs.list_product_mixes),
        _publish_route("products/mixes/info", publish_catalogs.product_mix_info),
        _publish_route("orders", publish_orders.list_orders),
        _publish_route("orders/info", publish_orders.order_info),
        _publish_route("orders/add", publish_orders.add_order),
        _publish_route("orders/cancel", publish_orders.cancel_order),
        _publish_route("orders/log", publish_orders.order_log),
    )
}


def respond(state: SandboxState, path: str, body: object, method: str = "POST") -> SandboxResponse:
    """Process a request and return the response; pass None for a body that is not JSON."""
    write_error: ErrorWriter = error_response
    try:
        with state.lock:
            state.run_due_steps()
            route = _find_route(state, path, body)
            write_error = route.write_error
            return _run_operation(state, route, body, method)
    except SandboxRefusal as refusal:
        response = write_error(refusal.status, refusal.error_type, refusal.info)
        return SandboxResponse(response.status, state.mask_keys(response.body))


def _find_route(state: SandboxState, path: str, body: object) -> Route:
    route = ROUTES.get(path.removesuffix("/"))
    if route is None:
        raise SandboxRefusal("not_found", f"there is nothing at {path}", HTTPStatus.NOT_FOUND)
    return route.resolve_publish(state, body)


def _run_operation(state: SandboxState, route: Route, body: object, method: str) -> SandboxResponse:
    if method != "POST":
        raise SandboxRefusal("method_not_allowed", f"{method} is not POST", HTTPStatus.METHOD_NOT_ALLOWED)
    if not isinstance(body, Mapping):
        raise SandboxRefusal("invalid_json", "the body is not a JSON object")
    _check_key(state, route, body.get("apikey"))
    return route.operation(state, RequestBody(body))


def _check_key(state: SandboxState, route: Route, key: object) -> None:
    """Each interface has a key of its own (CloudSignal 2.0, "Authentication")."""
    if key == state.api_keys[route.key_name]:
        return
    others = [name for name, other in state.api_keys.items() if other == key]
    info = f"apikey is the {others[0]} key, not the {route.key_name} key" if others else "apikey is unknown"
    raise SandboxRefusal("authentication_failed", info if key else "apikey is missing", route.wrong_key_status)
