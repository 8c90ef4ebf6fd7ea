"""Calls of commands: one, or several at once, or shown by a dry run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.cli.context import CommandFinished, Context
from cpctl.cli.dry_run import show_calls
from cpctl.cli.options import ExtraFields, parse_fields
from cpctl.errors import CpctlError, ExitCode, InvalidInput
from cpctl.masking import MASK
from cpctl.output.columns import View
from cpctl.signals.signal import quote_value

MAX_CONCURRENT_CALLS = 5


class ExtraFieldOptions(NamedTuple):
    """Options of every command that makes a call with a body."""

    fields: ExtraFields = None


def call(context: Context, name: str, extra_fields: ExtraFieldOptions, /, **body: Any) -> Any:
    """Make one call; in a dry run, show it and end the command. Raises the errors of `api.calls.call`."""
    return call_endpoint(context, ENDPOINTS[name], extra_fields, body)


def call_endpoint(
    context: Context, endpoint: Endpoint, extra_fields: ExtraFieldOptions, body: Mapping[str, Any]
) -> Any:
    """Like `call`, for an endpoint that may be missing from the table."""
    complete = _merge_body(body, extra_fields)
    if context.options.dry_run:
        _show_dry_run(context, endpoint, [complete])
    result = make_caller(context, endpoint.key)(endpoint, complete)
    context.answered_calls.append((endpoint.name, complete, result))
    return result


def call_each(
    context: Context, name: str, extra_fields: ExtraFieldOptions, bodies: Sequence[Mapping[str, Any]]
) -> Iterator[Any]:
    """Make one call per body, several at once; results come in the order of the bodies.

    A failure among several is printed and does not hide the other results; all failures together
    decide the exit status.
    """
    endpoint = ENDPOINTS[name]
    if len(bodies) == 1:
        yield call_endpoint(context, endpoint, extra_fields, bodies[0])
        return
    complete = [_merge_body(body, extra_fields) for body in bodies]
    if context.options.dry_run:
        _show_dry_run(context, endpoint, complete)
    failures: list[CpctlError] = []
    for number, result in enumerate(_call_concurrently(context, endpoint, complete), 1):
        context.output.progress(f"{number} of {len(complete)}")
        if isinstance(result, CpctlError):
            context.output.progress("")
            context.output.error(f"cpctl: {result.message}")
            failures.append(result)
        else:
            context.answered_calls.append((name, complete[number - 1], result))
            yield result
    context.output.progress("")
    context.exit_status = _exit_status(failures, len(complete))


def show_each(
    context: Context,
    name: str,
    extra_fields: ExtraFieldOptions,
    bodies: Sequence[Mapping[str, Any]],
    single_view: View,
    list_view: View,
) -> None:
    """Make one call per body and show the results: one object for one body, an array for several."""
    results = list(call_each(context, name, extra_fields, bodies))
    if len(bodies) == 1:
        context.show(results[0], single_view)
    else:
        context.show(results, list_view)


def make_caller(
    context: Context, key: str, timeout: float | None = None
) -> Callable[[Endpoint, Mapping[str, Any]], Any]:
    """A function that makes calls with one of the profile's keys. Raises ConfigError if the key cannot be read."""
    profile = context.profile
    secret = context.read_key(key)
    from cpctl.api.calls import call as make_call
    from cpctl.sdk.sender import make_client

    client = make_client(profile, secret, context.output.note if context.options.debug else None)
    seconds = timeout or profile.timeout
    return lambda endpoint, body: make_call(client, endpoint, body, seconds, context.output.detail)


def parse_reference(text: str, resource: str) -> str:
    """A reference without surrounding spaces. Raises InvalidInput naming the resource."""
    reference = text.strip()
    if not reference or not reference.isprintable():
        raise InvalidInput(f"The {resource} reference {quote_value(text)} is empty or contains a control character.")
    return reference


def _call_concurrently(context: Context, endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
    from concurrent.futures import ThreadPoolExecutor
    from threading import local

    context.read_key(endpoint.key)  # a key that cannot be read is one error, not one per call
    thread_state = local()

    def call_or_error(body: Mapping[str, Any]) -> Any:
        try:
            if not hasattr(thread_state, "caller"):  # a connection belongs to one thread
                thread_state.caller = make_caller(context, endpoint.key)
            return thread_state.caller(endpoint, body)
        except CpctlError as error:
            return error

    pool = ThreadPoolExecutor(MAX_CONCURRENT_CALLS)
    try:
        yield from pool.map(call_or_error, bodies)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _exit_status(failures: Sequence[CpctlError], call_count: int) -> ExitCode:
    if not failures:
        return ExitCode.DONE
    codes = {failure.exit_code for failure in failures}
    return codes.pop() if len(codes) == 1 and len(failures) == call_count else ExitCode.CONFLICT


def _merge_body(body: Mapping[str, Any], extra_fields: ExtraFieldOptions) -> dict[str, Any]:
    extra = parse_fields(extra_fields.fields)
    for name in extra:
        if name == "apikey":
            raise InvalidInput("-f cannot set apikey.", "The key comes from the profile: `cpctl profile set-key`.")
        if name in body:
            message = f"{name} is given twice: by the command and with -f."
            raise InvalidInput(message, "Use -f only for fields that cpctl does not know.")
    return {name: value for name, value in {**body, **extra}.items() if value is not None}


def _show_dry_run(context: Context, endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]]) -> None:
    url = context.profile["base_url"] + endpoint.path
    show_calls(context, [{"method": "POST", "url": url, "body": {"apikey": MASK, **body}} for body in bodies])
    raise CommandFinished
