"""Show the calls of a dry run."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cpctl.cli.context import Context
from cpctl.output.columns import DRY_RUN_CALL
from cpctl.output.text import escape_lines


def show_calls(context: Context, calls: Sequence[Mapping[str, Any]]) -> None:
    """Show calls as requests that people can read, or in the output format."""
    if context.options.output or context.options.query:
        context.show(list(calls), DRY_RUN_CALL)
        return
    bodies = [json.dumps(call["body"], ensure_ascii=False, indent=2) for call in calls]
    texts = (f"{call['method']} {call['url']}\n{body}\n" for call, body in zip(calls, bodies, strict=True))
    context.output.write(escape_lines(text) for text in texts)
