"""CloudPublish changes, whose answer is a counter: done, not done, or partly done."""

from collections.abc import Mapping
from typing import Any

from cpctl.api.calls import parse_change_counts
from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.calls import ExtraFieldOptions, call
from cpctl.cli.context import Context
from cpctl.errors import ExitCode, InvalidInput

# CloudPublish 1.0, the parameter tables of "Add a catalog" and "Add a title".
MAX_LENGTHS = {"catalog_reference": 128, "isbn": 128, "name": 64, "note": 256}


def apply_change(
    context: Context,
    name: str,
    extra_fields: ExtraFieldOptions,
    body: Mapping[str, str],
    question: str = "",
    yes: bool = False,
) -> None:
    """Check the fields, ask for confirmation if there is a question, make the change and report its counter.

    Raises InvalidInput for a field that is empty or longer than documented.
    """
    for field, value in body.items():
        limit = MAX_LENGTHS.get(field, 256)
        if not value.strip():
            raise InvalidInput(f"{field} is empty.")
        if len(value) > limit:
            raise InvalidInput(f"{field} has {len(value)} characters; CloudPublish accepts at most {limit}.")
    if question and not context.options.dry_run:
        context.confirm(question, yes)
    finish_with_count(context, name, next(iter(body.values())), call(context, name, extra_fields, **body))


def finish_with_count(context: Context, name: str, reference: str, value: Any) -> None:
    """Report the counter; exit with 6 if nothing was done, or not everything."""
    endpoint = ENDPOINTS[name]
    count = parse_change_counts(endpoint, value)
    verb = endpoint.counter[1] if endpoint.counter else "done"
    done = count is None or (count.done > 0 and not count.skipped)
    if done:
        context.output.note(f'The {endpoint.resource} "{reference}" is {verb}.')
    elif count is not None and count.skipped:
        context.output.error(f"cpctl: {count.done} {verb}, {count.skipped} skipped.")
    else:
        context.output.error(f'cpctl: The {endpoint.resource} "{reference}" was not {verb}; the service counts 0.')
    context.finish(value, None, ExitCode.DONE if done else ExitCode.CONFLICT)
