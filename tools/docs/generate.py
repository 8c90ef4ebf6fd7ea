"""Writes all generated files: `make docs`. A test checks that they are current."""

from collections.abc import Iterator
from pathlib import Path

from cpctl.cli.commands.completion import SCRIPT_FILES, generate_completion_script
from tools.docs import operators_sheet as operators
from tools.docs.api_coverage import render_coverage
from tools.docs.bench_svg import render_bench_svg
from tools.docs.console_blocks import ROOT, run_console_blocks
from tools.docs.reference import render_reference

# Documents whose console blocks are run.
CONSOLE_DOCUMENTS = (
    "README.md",
    *(f"docs/{name}.md" for name in ("delivery", "orders", "files", "services", "webhooks", "python")),
    *(f"docs/{name}.md" for name in ("cookbook", "administration")),
)


def generated_files() -> Iterator[tuple[Path, str]]:
    """Every generated file with its content."""
    yield from static_files()
    for document in CONSOLE_DOCUMENTS:
        yield ROOT / document, render_console_document(document)


def render_console_document(name: str) -> str:
    """A document with the current output of its console blocks."""
    return run_console_blocks((ROOT / name).read_text(encoding="utf-8"))


def static_files() -> Iterator[tuple[Path, str]]:
    """The files that are generated without running commands."""
    yield ROOT / "docs" / "reference.md", render_reference()
    yield ROOT / "docs" / "coverage.md", render_coverage()
    yield ROOT / "docs" / "bench.svg", render_bench_svg()
    yield operators.TARGET, operators.render_page()
    for shell, name in SCRIPT_FILES.items():
        yield ROOT / "completions" / name, generate_completion_script(shell)


if __name__ == "__main__":
    for path, text in generated_files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
