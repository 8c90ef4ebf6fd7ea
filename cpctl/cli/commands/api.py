"""`cpctl api`: any path, with the right key added."""

import json
from typing import Annotated, Any

import typer

from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.cli.calls import More, call_endpoint
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.input_files import read_input
from cpctl.errors import InvalidInput, closest, nearest

# Where a path without a leading slash begins, and which key each service takes.
PREFIXES = {"core": "/cloudcore/1.0/", "publish": "/cloudpublish/1.0/", "signal": "/cloudsignal/2.0/"}
KEYS = {"core": "core", "publish": "core", "signal": "signal"}
commands = Commands()


@commands.add("api", "cpctl api orders/info -f reference=12346")
def call_any(
    run: Run,
    path: Annotated[str, typer.Argument(metavar="PATH", help="orders/info, or whole: /cloudcore/1.0/orders/info.")],
    more: More,
    input: Annotated[str | None, typer.Option("--input", metavar="FILE|-", help="A JSON object to send.")] = None,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="core, publish or signal.")] = None,
) -> None:
    """Post to any path of the service, with the right key added."""
    body = _object(input) if input else {}
    endpoint = _endpoint(path, service)
    _remark(run, endpoint)
    result = call_endpoint(run, endpoint, more, body)
    if result is None or result == []:
        run.output.note("The service answered without content.")
    if result is not None:
        run.show(result)


def _endpoint(path: str, service: str | None) -> Endpoint:
    """The row of a known path, or one made for an unknown one: that is never sent twice."""
    if service is not None and service not in KEYS:
        raise InvalidInput(f'There is no service "{service}".', nearest(service, KEYS))
    if not path.strip("/") or any(c.isspace() or not c.isprintable() for c in path) or "://" in path:
        raise InvalidInput(f'"{path}" is not a path.', "Such as orders/info, or /cloudcore/1.0/orders/info.")
    whole = path if path.startswith("/") else PREFIXES[service or "core"] + path
    signals = whole.startswith(("/cloudsignal/", "/1.1/"))
    if service and signals != (service == "signal") and whole.startswith(("/cloud", "/1.1/")):
        raise InvalidInput(f"{whole} does not take the key of {service}.", "Leave --service out; the path says it.")
    known = next((row for row in ENDPOINTS.values() if row.path.strip("/") == whole.strip("/")), None)
    effect = known.effect if known else Effect.CHANGE
    key = KEYS[service] if service else "signal" if signals else "core"
    return Endpoint(path, whole, key, effect, empty=known is not None and known.empty)


def _remark(run: Run, endpoint: Endpoint) -> None:
    """A path may be newer than cpctl, so an unknown one is sent; but one that is nearly known is a slip."""
    typed = endpoint.name.rstrip("/")
    prefix = endpoint.path.removesuffix(endpoint.name)
    paths = [row.path.removeprefix(prefix).rstrip("/") for row in ENDPOINTS.values() if row.path.startswith(prefix)]
    near = closest(typed, paths, cutoff=0.75 if prefix else 0.9)
    if near and typed not in paths:
        run.output.warn(f'cpctl knows no path "{typed}". Did you mean "{near}"?')


def _object(file: str) -> dict[str, Any]:
    text = read_input(file)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file}: not JSON: {error}.") from error
    if not isinstance(value, dict) or "apikey" in value:
        raise InvalidInput(f"{file}: must be a JSON object without an apikey.", "The key comes from the profile.")
    return value
