"""What a dry run shows: calls that are not made."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cpctl.cli.context import Run
from cpctl.output.columns import CALL
from cpctl.output.text import escaped_lines


def show_calls(run: Run, calls: Sequence[Mapping[str, Any]]) -> None:
    """Show calls that are not made: readable as they are, or in the format that was asked for."""
    if run.options.output or run.options.query:
        run.show(list(calls), CALL)
        return
    text = (
        f"{call['method']} {call['url']}\n{json.dumps(call['body'], ensure_ascii=False, indent=2)}\n" for call in calls
    )
    run.output.write(escaped_lines(each) for each in text)
