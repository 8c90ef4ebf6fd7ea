"""`cpctl signal sheet`: the command barcodes, as a table or as a page to print."""

from pathlib import Path

from cpctl.cli.context import Run
from cpctl.errors import InvalidInput
from cpctl.packing.command_sheet import lines, page


def sheet(run: Run, html: str | None) -> None:
    """Show the codes; with a file, write them as barcodes."""
    if html is None:
        run.show([line._asdict() for line in lines()])
        return
    text = page()
    if html == "-":
        run.output.write(iter([text]))
        return
    try:
        Path(html).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInput(f"{html} cannot be written: {error.strerror}.") from error
    run.output.note(f"Written: {html}. Print it at its real size, and scan TEST with `cpctl signal scan --check`.")
