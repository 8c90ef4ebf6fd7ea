"""`cpctl signal sheet`: the command barcodes, as a table or as a page to print."""

from pathlib import Path

from cpctl.cli.context import Context
from cpctl.errors import InvalidInput
from cpctl.packing.command_sheet import list_codes, render_sheet


def show_command_sheet(context: Context, html: str | None) -> None:
    """Show the codes; with a file, write them as barcodes."""
    if html is None:
        context.show([line._asdict() for line in list_codes()])
        return
    text = render_sheet()
    if html == "-":
        context.output.write(iter([text]))
        return
    try:
        Path(html).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInput(f"{html} cannot be written: {error.strerror}.") from error
    context.output.note(f"Written: {html}. Print it at its real size, and scan TEST with `cpctl signal scan --check`.")
