"""Writes everything that is generated: `make docs`. Tests hold the files to what this writes."""

from collections.abc import Iterator
from pathlib import Path

from cpctl.cli.commands.completion import SCRIPT_FILES, generate_completion_script
from tools.docs import operators
from tools.docs.bench_picture import bench_picture
from tools.docs.console import ROOT, with_real_output
from tools.docs.coverage import coverage
from tools.docs.manpages import manual_pages
from tools.docs.reference import reference

# Documents whose console blocks are run and filled in.
WITH_CONSOLE = (
    "README.md",
    *(f"docs/{name}.md" for name in ("delivery", "orders", "files", "services", "webhooks", "python")),
    *(f"docs/{name}.md" for name in ("cookbook", "administration")),
)


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file with what belongs in it."""
    yield from made_of_tables()
    for document in WITH_CONSOLE:
        yield ROOT / document, console_document(document)


def console_document(name: str) -> str:
    """A document with its console blocks run anew."""
    return with_real_output((ROOT / name).read_text(encoding="utf-8"))


def made_of_tables() -> Iterator[tuple[Path, str]]:
    """The files that no command has to be run for."""
    yield ROOT / "docs" / "reference.md", reference()
    yield ROOT / "docs" / "coverage.md", coverage()
    yield ROOT / "docs" / "bench.svg", bench_picture()
    yield operators.TARGET, operators.page()
    for shell, name in SCRIPT_FILES.items():
        yield ROOT / "completions" / name, generate_completion_script(shell)
    yield from manual_pages()


if __name__ == "__main__":
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
