"""From a command to the service and back: one call, or many at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.cli.context import Ended, Run
from cpctl.cli.dry_run import show_calls
from cpctl.cli.options import MoreFields, parse_fields
from cpctl.config.keys import MASK
from cpctl.errors import CpctlError, ExitCode, InvalidInput
from cpctl.output.columns import View

CONNECTIONS = 5


class More(NamedTuple):
    """Options of every call with a body."""

    field: MoreFields = None


def call(run: Run, name: str, more: More, /, **body: Any) -> Any:
    """Make one call. In a dry run, show it and end the command. Raises what `api.calling.call` raises."""
    return call_endpoint(run, ENDPOINTS[name], more, body)


def call_endpoint(run: Run, endpoint: Endpoint, more: More, body: Mapping[str, Any]) -> Any:
    """Like `call`, for a row that need not stand in the table."""
    complete = _body(body, more)
    if run.options.dry_run:
        _show_and_end(run, endpoint, [complete])
    result = caller(run, endpoint.key)(endpoint, complete)
    run.learned.append((endpoint.name, complete, result))
    return result


def call_each(run: Run, name: str, more: More, bodies: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """Make one call per body, a handful at once; results come in the order of the bodies.

    A failure is told, takes the place of no other, and decides the exit status with the rest.
    """
    endpoint = ENDPOINTS[name]
    complete = [_body(body, more) for body in bodies]
    if run.options.dry_run:
        _show_and_end(run, endpoint, complete)
    if len(complete) == 1:
        result = caller(run, endpoint.key)(endpoint, complete[0])
        run.learned.append((name, complete[0], result))
        yield result
        return
    failures: list[CpctlError] = []
    for number, result in enumerate(_at_once(run, endpoint, complete), 1):
        run.output.progress(f"{number} of {len(complete)}")
        if isinstance(result, CpctlError):
            run.output.progress("")
            run.output.fail(f"cpctl: {result.message}")
            failures.append(result)
        else:
            run.learned.append((name, complete[number - 1], result))
            yield result
    run.output.progress("")
    run.status = _status(failures, len(complete))


def show_each(run: Run, name: str, more: More, bodies: Sequence[Mapping[str, Any]], one: View, several: View) -> None:
    """Show what was asked for: one object for one reference, an array for several."""
    found = list(call_each(run, name, more, bodies))
    run.show(found[0] if len(bodies) == 1 else found, one if len(bodies) == 1 else several)


def caller(run: Run, key: str, timeout: float | None = None) -> Callable[[Endpoint, Mapping[str, Any]], Any]:
    """A function that makes calls with one of the profile's keys. Raises ConfigError where the key cannot be had."""
    profile = run.profile
    secret = run.key(key)
    from cpctl.api.calls import call as make_call
    from cpctl.sdk.sender import client_of

    client = client_of(profile, secret, run.output.note if run.options.debug else None)
    seconds = timeout or profile.timeout
    return lambda endpoint, body: make_call(client, endpoint, body, seconds, run.output.detail)


def parse_reference(text: str, what: str) -> str:
    """A reference as it can stand in a call. Raises InvalidInput naming what it is."""
    reference = text.strip()
    if not reference or not reference.isprintable():
        raise InvalidInput(f'The {what} "{text}" is empty or holds a control character.')
    return reference


def _at_once(run: Run, endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
    from concurrent.futures import ThreadPoolExecutor
    from threading import local

    run.key(endpoint.key)  # where it cannot be had, it is said once
    own = local()

    def work(body: Mapping[str, Any]) -> Any:
        try:
            if not hasattr(own, "call"):  # a connection belongs to one thread
                own.call = caller(run, endpoint.key)
            return own.call(endpoint, body)
        except CpctlError as error:
            return error

    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        yield from pool.map(work, bodies)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _status(failures: Sequence[CpctlError], number: int) -> ExitCode:
    if not failures:
        return ExitCode.DONE
    codes = {failure.exit_code for failure in failures}
    return codes.pop() if len(codes) == 1 and len(failures) == number else ExitCode.CONFLICT


def _body(body: Mapping[str, Any], more: More) -> dict[str, Any]:
    extra = parse_fields(more.field)
    if again := [name for name in extra if name in body or name == "apikey"]:
        raise InvalidInput(f"{again[0]} is said twice, by -f as well.", "-f is for fields that cpctl does not know.")
    return {name: value for name, value in {**body, **extra}.items() if value is not None}


def _show_and_end(run: Run, endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]]) -> None:
    url = run.profile["base_url"] + endpoint.path
    show_calls(run, [{"method": "POST", "url": url, "body": {"apikey": MASK, **body}} for body in bodies])
    raise Ended
