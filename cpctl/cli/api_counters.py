"""Changes whose answer is a counter: done, not done, or partly done."""

from collections.abc import Mapping
from typing import Any

from cpctl.api.calls import parse_change_counts
from cpctl.api.endpoints import ENDPOINTS
from cpctl.api.extra_fields import EXTRA_FIELDS
from cpctl.cli.calls import ExtraFieldOptions, call
from cpctl.cli.context import Context
from cpctl.errors import ExitCode, InvalidInput


def apply_change(
    context: Context,
    name: str,
    extra_fields: ExtraFieldOptions,
    body: Mapping[str, str],
    question: str = "",
    yes: bool = False,
) -> None:
    """Check the fields, confirm the question if there is one, make the change, and report its counter."""
    _check_fields(ENDPOINTS[name].resource, body)
    if question and not context.options.dry_run:
        context.confirm(question, yes)
    value = call(context, name, extra_fields, **body)
    finish_with_count(context, name, next(iter(body.values())), value)


def _check_fields(resource: str, body: Mapping[str, str]) -> None:
    for field, value in body.items():
        max_length = EXTRA_FIELDS[resource, field].max_length
        if not value.strip():
            raise InvalidInput(f"{field} is empty.", f"Give {EXTRA_FIELDS[resource, field].meaning}.")
        if len(value) > max_length:
            message = f"{field} has {len(value)} characters; CloudPublish accepts at most {max_length}."
            raise InvalidInput(message, "Shorten it.")


def finish_with_count(context: Context, name: str, reference: str, value: Any) -> None:
    """Report the counter of a change; the exit status is 6 if nothing was changed, or not everything."""
    endpoint = ENDPOINTS[name]
    counts = parse_change_counts(endpoint, value)
    verb = endpoint.counter[1] if endpoint.counter else "done"
    is_done = counts is None or (counts.done > 0 and not counts.skipped)
    if is_done:
        context.output.note(f'The {endpoint.resource} "{reference}" was {verb}.')
    elif counts is not None and counts.skipped:
        context.output.error(f"cpctl: {counts.done} {verb}, {counts.skipped} skipped.")
    else:
        context.output.error(f'cpctl: The {endpoint.resource} "{reference}" was not {verb}: the service counted 0.')
    context.finish(value, None, ExitCode.DONE if is_done else ExitCode.CONFLICT)
