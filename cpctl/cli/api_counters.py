"""Changes whose answer is a counter: done, not done, or done in part."""

from collections.abc import Mapping
from typing import Any

from cpctl.api.calls import counted
from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.calls import More, call
from cpctl.cli.context import Run
from cpctl.errors import ExitCode, InvalidInput

# CloudPublish 1.0, the parameter tables of "Add a catalog" and "Add a title".
LONGEST = {"catalog_reference": 128, "isbn": 128, "name": 64, "note": 256}


def change(run: Run, name: str, more: More, body: Mapping[str, str], question: str = "", yes: bool = False) -> None:
    """Check the fields, ask where that is due, make the change, and tell by the counter what was done."""
    check_fields(body)
    if question and not run.options.dry_run:
        run.confirm(question, yes)
    value = call(run, name, more, **body)
    tell_count(run, name, next(iter(body.values())), value)


def check_fields(body: Mapping[str, str]) -> None:
    """Raise InvalidInput for a field that is empty or longer than the documents allow."""
    for field, value in body.items():
        longest = LONGEST.get(field, 256)
        if not value.strip():
            raise InvalidInput(f"{field} is empty.")
        if len(value) > longest:
            raise InvalidInput(f"{field} has {len(value)} characters, more than the {longest} that CloudPublish takes.")


def tell_count(run: Run, name: str, reference: str, value: Any) -> None:
    """End with 6 where the counter says that nothing was done, or not all."""
    endpoint = ENDPOINTS[name]
    count = counted(endpoint, value)
    word = endpoint.counts[1] if endpoint.counts else "done"
    done = count is None or (count.done > 0 and not count.skipped)
    if done:
        run.output.note(f'The {endpoint.thing} "{reference}" is {word}.')
    elif count is not None and count.skipped:
        run.output.fail(f"cpctl: {count.done} {word}, {count.skipped} skipped.")
    else:
        run.output.fail(f'cpctl: The {endpoint.thing} "{reference}" was not {word}; the service counts 0.')
    run.finish(value, None, ExitCode.DONE if done else ExitCode.CONFLICT)
