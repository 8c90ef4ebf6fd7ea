"""`cpctl api`: any path, with the right key added."""

import json
from typing import Annotated, Any

import typer

from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.cli.calls import ExtraFieldOptions, call_endpoint
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.input_files import read_input
from cpctl.errors import InvalidInput, find_closest, suggest

# Where a path without a leading slash begins, and which key each service takes.
PATH_PREFIXES = {"core": "/cloudcore/1.0/", "publish": "/cloudpublish/1.0/", "signal": "/cloudsignal/2.0/"}
SERVICE_KEYS = {"core": "core", "publish": "core", "signal": "signal"}
commands = Commands()


@commands.add("api", "cpctl api orders/info -f reference=12346")
def call_path(
    context: Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="orders/info, or whole: /cloudcore/1.0/orders/info.")],
    extra_fields: ExtraFieldOptions,
    input_file: Annotated[str | None, typer.Option("--input", metavar="FILE|-", help="A JSON object to send.")] = None,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="core, publish or signal.")] = None,
) -> None:
    """Post to any path of the service, with the right key added."""
    body = _read_json_object(input_file) if input_file else {}
    endpoint = _resolve_endpoint(path, service)
    _warn_of_unknown_path(context, endpoint)
    result = call_endpoint(context, endpoint, extra_fields, body)
    if result is None or result == []:
        context.output.note("The service answered without content.")
    if result is not None:
        context.show(result)


def _resolve_endpoint(path: str, service: str | None) -> Endpoint:
    """The row of a known path, or one made for an unknown one: that is never sent twice."""
    if service is not None and service not in SERVICE_KEYS:
        raise InvalidInput(f'There is no service "{service}".', suggest(service, SERVICE_KEYS))
    if not path.strip("/") or any(c.isspace() or not c.isprintable() for c in path) or "://" in path:
        raise InvalidInput(f'"{path}" is not a path.', "Such as orders/info, or /cloudcore/1.0/orders/info.")
    whole = path if path.startswith("/") else PATH_PREFIXES[service or "core"] + path
    signals = whole.startswith(("/cloudsignal/", "/1.1/"))
    if service and signals != (service == "signal") and whole.startswith(("/cloud", "/1.1/")):
        raise InvalidInput(f"{whole} does not take the key of {service}.", "Leave --service out; the path says it.")
    known = next((row for row in ENDPOINTS.values() if row.path.strip("/") == whole.strip("/")), None)
    effect = known.effect if known else Effect.CHANGE
    key = SERVICE_KEYS[service] if service else "signal" if signals else "core"
    return Endpoint(path, whole, key, effect, allows_empty=known is not None and known.allows_empty)


def _warn_of_unknown_path(context: Context, endpoint: Endpoint) -> None:
    """A path may be newer than cpctl, so an unknown one is sent; but one that is nearly known is a slip."""
    typed = endpoint.name.rstrip("/")
    prefix = endpoint.path.removesuffix(endpoint.name)
    paths = [row.path.removeprefix(prefix).rstrip("/") for row in ENDPOINTS.values() if row.path.startswith(prefix)]
    near = find_closest(typed, paths, cutoff=0.75 if prefix else 0.9)
    if near and typed not in paths:
        context.output.warn(f'cpctl knows no path "{typed}". Did you mean "{near}"?')


def _read_json_object(file: str) -> dict[str, Any]:
    text = read_input(file)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file}: not JSON: {error}.") from error
    if not isinstance(value, dict) or "apikey" in value:
        raise InvalidInput(f"{file}: must be a JSON object without an apikey.", "The key comes from the profile.")
    return value
