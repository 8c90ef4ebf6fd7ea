"""What a dry run shows: calls that are not made."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cpctl.cli.context import Context
from cpctl.output.columns import DRY_RUN_CALL
from cpctl.output.text import escape_lines


def show_calls(context: Context, calls: Sequence[Mapping[str, Any]]) -> None:
    """Show calls that are not made: readable as they are, or in the format that was asked for."""
    if context.options.output or context.options.query:
        context.show(list(calls), DRY_RUN_CALL)
        return
    text = (
        f"{call['method']} {call['url']}\n{json.dumps(call['body'], ensure_ascii=False, indent=2)}\n" for call in calls
    )
    context.output.write(escape_lines(each) for each in text)
