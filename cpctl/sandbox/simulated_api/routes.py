"""The endpoints of the sandbox, and the checks before each: path, method, key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api import core_orders, core_products, core_quotes, publish_calls
from cpctl.sandbox.simulated_api.api_messages import RequestBody, SandboxRefusal, SandboxResponse, error_response
from cpctl.sandbox.simulated_api.signal_status import accept_signals

# Processes a request, or raises SandboxRefusal and changes nothing. Returns the body of a 200, None for a 204, or a
# SandboxResponse.
Operation = Callable[[SandboxState, RequestBody], object]


@dataclass(frozen=True)
class Route:
    """One endpoint: its path, its operation, and the key it accepts."""

    path: str  # without the trailing slash
    operation: Operation
    # For a path of CloudCore that the document of CloudPublish uses as well: the operation of CloudPublish.
    publish_operation: Operation | None = None
    key_name: str = "core"  # in SandboxState.api_keys

    def is_publish_call(self, state: SandboxState, body: object) -> bool:
        if self.publish_operation is None or not isinstance(body, Mapping):
            return self.path.startswith("/cloudpublish/")
        return publish_calls.is_publish_call(state, body)


# CloudSignal 1.1 documents two paths for one endpoint: most of its samples use /1.1/status/. CloudPublish documents
# four of its calls at paths of CloudCore.
ROUTES: dict[str, Route] = {
    route.path: route
    for route in (
        Route("/cloudsignal/2.0/status", partial(accept_signals, "2.0"), key_name="signal"),
        Route("/cloudsignal/1.1/status", partial(accept_signals, "1.1"), key_name="signal"),
        Route("/1.1/status", partial(accept_signals, "1.1"), key_name="signal"),
        Route("/cloudcore/1.0/orders", core_orders.list_orders),
        Route("/cloudcore/1.0/orders/info", core_orders.order_info, publish_calls.order_info),
        Route("/cloudcore/1.0/orders/add", core_orders.add_order, publish_calls.add_order),
        Route("/cloudcore/1.0/orders/cancel", core_orders.cancel_order, publish_calls.cancel_order),
        Route("/cloudcore/1.0/orders/log", core_orders.order_log, publish_calls.order_log),
        Route("/cloudcore/1.0/orders/quote", core_quotes.quote_order),
        Route("/cloudcore/1.0/orders/quote/info", core_quotes.quote_info),
        Route("/cloudcore/1.0/prices/lookup", core_quotes.quote_order),
        Route("/cloudcore/1.0/products", core_products.list_products),
        Route("/cloudcore/1.0/products/info", core_products.product_info),
        Route("/cloudcore/1.0/shipping/levels", core_products.list_shipping_levels),
        Route("/cloudcore/1.0/shipping/countries", core_products.list_shipping_countries),
        Route("/cloudcore/1.0/shipping/states", core_products.list_shipping_states),
        Route("/cloudpublish/1.0/catalogs", publish_calls.list_catalogs),
        Route("/cloudpublish/1.0/catalogs/info", publish_calls.catalog_info),
        Route("/cloudpublish/1.0/catalogs/add", publish_calls.add_catalog),
        Route("/cloudpublish/1.0/catalogs/remove", publish_calls.remove_catalog),
        Route("/cloudpublish/1.0/titles", publish_calls.list_titles),
        Route("/cloudpublish/1.0/titles/info", publish_calls.title_info),
        Route("/cloudpublish/1.0/titles/add", publish_calls.add_title),
        Route("/cloudpublish/1.0/titles/remove", publish_calls.remove_title),
        Route("/cloudpublish/1.0/products/mixes", publish_calls.list_product_mixes),
        Route("/cloudpublish/1.0/products/mixes/info", publish_calls.product_mix_info),
        Route("/cloudpublish/1.0/orders", publish_calls.list_orders),
        Route("/cloudpublish/1.0/orders/info", publish_calls.order_info),
        Route("/cloudpublish/1.0/orders/add", publish_calls.add_order),
        Route("/cloudpublish/1.0/orders/cancel", publish_calls.cancel_order),
        Route("/cloudpublish/1.0/orders/log", publish_calls.order_log),
    )
}


def respond(state: SandboxState, path: str, body: object, method: str = "POST") -> SandboxResponse:
    """Process a request and return the response; pass None for a body that is not JSON."""
    is_publish_call = False
    try:
        with state.lock:
            state.run_due_steps()
            route = ROUTES.get(path.removesuffix("/"))
            if route is None:
                raise SandboxRefusal("not_found", f"there is nothing at {path}", HTTPStatus.NOT_FOUND)
            is_publish_call = route.is_publish_call(state, body)
            operation = (is_publish_call and route.publish_operation) or route.operation
            if method != "POST":
                raise SandboxRefusal("method_not_allowed", f"{method} is not POST", HTTPStatus.METHOD_NOT_ALLOWED)
            if not isinstance(body, Mapping):
                raise SandboxRefusal("invalid_json", "the body is not a JSON object")
            _check_key(state, route, body.get("apikey"))
            result = operation(state, RequestBody(body))
    except SandboxRefusal as refusal:
        return _refusal_response(state, refusal, is_publish_call)
    if isinstance(result, SandboxResponse):
        return result
    return SandboxResponse(HTTPStatus.NO_CONTENT if result is None else HTTPStatus.OK, result)


def _refusal_response(state: SandboxState, refusal: SandboxRefusal, is_publish_call: bool) -> SandboxResponse:
    body = error_response(refusal.status, refusal.error_type, refusal.info).body
    if is_publish_call:  # CloudPublish API 1.0, "Handling errors"
        body = {"status": {"errors": {refusal.error_type: refusal.info}}}
    return SandboxResponse(refusal.status, state.mask_keys(body))


def _check_key(state: SandboxState, route: Route, key: object) -> None:
    """Each interface has a key of its own (CloudSignal 2.0, "Authentication")."""
    if key == state.api_keys[route.key_name]:
        return
    others = [name for name, other in state.api_keys.items() if other == key]
    info = f"apikey is the {others[0]} key, not the {route.key_name} key" if others else "apikey is unknown"
    status = HTTPStatus.UNAUTHORIZED if route.key_name == "signal" else HTTPStatus.FORBIDDEN
    raise SandboxRefusal("authentication_failed", info if key else "apikey is missing", status)
