"""`cpctl api`: call any path, with the right key added."""

import json
from typing import Annotated, Any

import typer

from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.cli.calls import ExtraFieldOptions, call_endpoint
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.input_files import read_input
from cpctl.errors import InvalidInput, find_closest, suggest

# The prefix of a path without a leading slash, and the key of each service.
PATH_PREFIXES = {"core": "/cloudcore/1.0/", "publish": "/cloudpublish/1.0/", "signal": "/cloudsignal/2.0/"}
SERVICE_KEYS = {"core": "core", "publish": "core", "signal": "signal"}
commands = Commands()


@commands.add("api", "cpctl api orders/info -f reference=12346")
def call_path(
    context: Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path: orders/info, or /cloudcore/1.0/orders/info.")],
    extra_fields: ExtraFieldOptions,
    input_file: Annotated[str | None, typer.Option("--input", metavar="FILE|-", help="Send this JSON object.")] = None,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Service: core, publish or signal.")] = None,
) -> None:
    """Call any path of the service; the right key is added."""
    body = _read_json_object(input_file) if input_file else {}
    endpoint = _resolve_endpoint(path, service)
    _warn_of_unknown_path(context, endpoint)
    result = call_endpoint(context, endpoint, extra_fields, body)
    if result is None or result == []:
        context.output.note("The service returned no content.")
    if result is not None:
        context.show(result)


def _resolve_endpoint(path: str, service: str | None) -> Endpoint:
    """The endpoint of a known path, or a new one for an unknown path: its calls are never retried."""
    if service is not None and service not in SERVICE_KEYS:
        raise InvalidInput(f'There is no service "{service}".', suggest(service, SERVICE_KEYS))
    if not path.strip("/") or any(char.isspace() or not char.isprintable() for char in path) or "://" in path:
        raise InvalidInput(f'"{path}" is not a path.', "For example: orders/info, or /cloudcore/1.0/orders/info.")
    full_path = path if path.startswith("/") else PATH_PREFIXES[service or "core"] + path
    is_signal = full_path.startswith(("/cloudsignal/", "/1.1/"))
    if service and is_signal != (service == "signal") and full_path.startswith(("/cloud", "/1.1/")):
        raise InvalidInput(f"{full_path} does not take the key of {service}.", "Omit --service: the path implies it.")
    known = next((row for row in ENDPOINTS.values() if row.path.strip("/") == full_path.strip("/")), None)
    effect = known.effect if known else Effect.CHANGE
    key = SERVICE_KEYS[service] if service else "signal" if is_signal else "core"
    return Endpoint(path, full_path, key, effect, allows_empty=known is not None and known.allows_empty)


def _warn_of_unknown_path(context: Context, endpoint: Endpoint) -> None:
    """Warn if an unknown path is similar to a known one; it is sent, because it may be newer than cpctl."""
    typed = endpoint.name.rstrip("/")
    prefix = endpoint.path.removesuffix(endpoint.name)
    paths = [row.path.removeprefix(prefix).rstrip("/") for row in ENDPOINTS.values() if row.path.startswith(prefix)]
    closest = find_closest(typed, paths, cutoff=0.75 if prefix else 0.9)
    if closest and typed not in paths:
        context.output.warn(f'cpctl does not know the path "{typed}". Did you mean "{closest}"?')


def _read_json_object(file: str) -> dict[str, Any]:
    text = read_input(file)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} is not JSON: {error}.") from error
    if not isinstance(value, dict) or "apikey" in value:
        raise InvalidInput(f"{file} must hold a JSON object without an apikey.", "The key comes from the profile.")
    return value
