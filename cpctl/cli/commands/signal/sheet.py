"""`cpctl signal sheet`: the command barcodes, as a table or as a page to print."""

from pathlib import Path

from cpctl.cli.context import Context
from cpctl.errors import InvalidInput
from cpctl.packing.command_sheet import list_codes, render_sheet


def show_command_sheet(context: Context, html: str | None) -> None:
    """List the codes, or write them as barcodes to a file."""
    if html is None:
        context.show([row._asdict() for row in list_codes()])
        return
    text = render_sheet()
    if html == "-":
        context.output.write(iter([text]))
        return
    try:
        Path(html).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInput(f"{html} cannot be written: {error.strerror}.") from error
    context.output.note(f"Written: {html}. Print it at actual size, and scan TEST with `cpctl signal scan --check`.")
