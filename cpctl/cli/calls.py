"""The API calls of commands: one, or several at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.cli.context import CommandFinished, Context
from cpctl.cli.dry_run import show_calls
from cpctl.cli.options import ExtraFields, parse_fields
from cpctl.errors import CpctlError, ExitCode, InvalidInput
from cpctl.masking import MASK
from cpctl.output.views import View

MAX_CONCURRENT_CALLS = 5
# A read-only call with a short answer that every account may make.
_KEY_CHECK_ENDPOINT = "shipping/levels"


class ExtraFieldOptions(NamedTuple):
    """The option of every command that makes a call."""

    fields: ExtraFields = None


def call(context: Context, name: str, extra_fields: ExtraFieldOptions, /, **body: Any) -> Any:
    """Make one call. A dry run shows it and finishes the command. Raises what `api.calls.call` raises."""
    return call_endpoint(context, ENDPOINTS[name], extra_fields, body)


def call_endpoint(
    context: Context, endpoint: Endpoint, extra_fields: ExtraFieldOptions, body: Mapping[str, Any]
) -> Any:
    """Like `call`, for an endpoint that need not be in the table."""
    merged = _merge_body(body, extra_fields)
    if context.options.dry_run:
        _show_dry_run(context, endpoint, [merged])
    result = make_caller(context, endpoint.key)(endpoint, merged)
    context.answered_calls.append((endpoint.name, merged, result))
    return result


def call_each(
    context: Context, name: str, extra_fields: ExtraFieldOptions, bodies: Sequence[Mapping[str, Any]]
) -> Iterator[Any]:
    """Make one call per body, several at a time; results come in the order of the bodies.

    A failure among several calls is reported, and the others go on; the exit status covers all of them.
    """
    endpoint = ENDPOINTS[name]
    if len(bodies) == 1:
        yield call_endpoint(context, endpoint, extra_fields, bodies[0])
        return
    merged = [_merge_body(body, extra_fields) for body in bodies]
    if context.options.dry_run:
        _show_dry_run(context, endpoint, merged)
    failures: list[CpctlError] = []
    for number, result in enumerate(_call_concurrently(context, endpoint, merged), 1):
        context.output.progress(f"{number} of {len(merged)}")
        if isinstance(result, CpctlError):
            context.output.progress("")
            context.output.error(f"cpctl: {result.message}")
            failures.append(result)
        else:
            context.answered_calls.append((name, merged[number - 1], result))
            yield result
    context.output.progress("")
    if failures:
        codes = {failure.exit_code for failure in failures}
        context.exit_status = codes.pop() if len(codes) == 1 and len(failures) == len(bodies) else ExitCode.CONFLICT


def show_each(
    context: Context,
    name: str,
    extra_fields: ExtraFieldOptions,
    references: Sequence[str],
    single_view: View,
    list_view: View,
) -> None:
    """Call for each reference, and show one object for one of them, an array for several."""
    field, resource = ENDPOINTS[name].required[0], ENDPOINTS[name].resource
    bodies = [{field: parse_reference(reference, resource)} for reference in references]
    results = list(call_each(context, name, extra_fields, bodies))
    if len(bodies) == 1:
        context.show(results[0], single_view)
    else:
        context.show(results, list_view)


def make_caller(
    context: Context, key: str, timeout: float | None = None
) -> Callable[[Endpoint, Mapping[str, Any]], Any]:
    """A function that makes calls with one of the profile's keys. Raises ConfigError without the key."""
    client = context.make_client(key)
    from cpctl.api.calls import call as make_call

    seconds = timeout or context.profile.timeout
    return lambda endpoint, body: make_call(client, endpoint, body, seconds, context.output.detail)


def verify_core_key(context: Context, timeout: float) -> None:
    """Try the core key with a read-only call. Raises ConfigError, KeyRefused, or what `call` raises."""
    make_caller(context, "core", timeout)(ENDPOINTS[_KEY_CHECK_ENDPOINT], {})


def parse_reference(text: str, resource: str) -> str:
    """A reference without surrounding spaces. Raises InvalidInput with the kind of resource."""
    reference = text.strip()
    if not reference or not reference.isprintable():
        raise InvalidInput(f'The {resource} "{text}" is empty or holds a control character.')
    return reference


def _call_concurrently(context: Context, endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
    from concurrent.futures import ThreadPoolExecutor
    from threading import local

    context.read_key(endpoint.key)  # a missing key is reported once, not by every thread
    thread = local()

    def call_or_fail(body: Mapping[str, Any]) -> Any:
        try:
            if not hasattr(thread, "call"):  # a connection belongs to one thread
                thread.call = make_caller(context, endpoint.key)
            return thread.call(endpoint, body)
        except CpctlError as error:
            return error

    pool = ThreadPoolExecutor(MAX_CONCURRENT_CALLS)
    try:
        yield from pool.map(call_or_fail, bodies)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _merge_body(body: Mapping[str, Any], extra_fields: ExtraFieldOptions) -> dict[str, Any]:
    extra = parse_fields(extra_fields.fields)
    if repeated := [name for name in extra if name in body or name == "apikey"]:
        message = f"{repeated[0]} is given twice: by the command and with -f."
        raise InvalidInput(message, "-f is for fields that cpctl does not know.")
    return {name: value for name, value in {**body, **extra}.items() if value is not None}


def _show_dry_run(context: Context, endpoint: Endpoint, bodies: Sequence[Mapping[str, Any]]) -> None:
    url = context.profile["base_url"] + endpoint.path
    show_calls(context, [{"method": "POST", "url": url, "body": {"apikey": MASK, **body}} for body in bodies])
    raise CommandFinished
