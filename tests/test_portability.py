"""Source code that would fail on another system.

`make lint` finds functions that Windows or macOS lack: it checks the types for each of them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "cpctl").rglob("*.py"))
# Directives that give the same text in every language and on every system.
PORTABLE_DIRECTIVES = set("YmdHMSfz%")
DIRECTIVE = re.compile(r"%(-?.)")
OPENING_FUNCTIONS = {"open", "fdopen", "read_text", "write_text", "TextIOWrapper"}


def relative_name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def time_formats(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every format of a time, from f-strings and calls of strftime, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            for part in node.format_spec.values:
                if isinstance(part, ast.Constant) and "%" in str(part.value):
                    yield node.lineno, str(part.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "strftime":
            yield from ((node.lineno, str(each.value)) for each in node.args if isinstance(each, ast.Constant))


def calls_without_encoding(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        is_own_function = isinstance(node.func, ast.Name) and name.endswith("_text")  # such as `read_text(body, "x")`
        opens_a_descriptor = name == "open" and getattr(getattr(node.func, "value", None), "id", "") == "os"
        if name not in OPENING_FUNCTIONS or is_own_function or opens_a_descriptor:
            continue
        modes = [
            str(each.value)
            for each in [*node.args, *(k.value for k in node.keywords)]
            if isinstance(each, ast.Constant)
        ]
        if name == "TextIOWrapper" or name.endswith("_text"):
            named = any(k.arg == "encoding" for k in node.keywords) or (name == "TextIOWrapper" and len(node.args) > 1)
        else:
            named = any(k.arg == "encoding" for k in node.keywords) or any(
                re.fullmatch("[rwax+]*b[rwax+]*", m) for m in modes
            )
        plain_method = name == "open" and not modes and not node.keywords  # `store.open()` opens no file
        if not named and not plain_method:
            yield node.lineno


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_times_are_formatted_the_same_in_every_language(file: Path) -> None:
    for line, written in time_formats(ast.parse(file.read_text(encoding="utf-8"))):
        assert set(DIRECTIVE.findall(written)) <= PORTABLE_DIRECTIVES, f"line {line}: {written}"


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_every_text_file_is_opened_with_an_encoding(file: Path) -> None:
    assert list(calls_without_encoding(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("f'{at:%d %b}'", "%d %b"),
        ("at.strftime('%-d')", "%-d"),
    ],
)
def test_the_search_finds_formats_of_times(line: str, found: str) -> None:
    ((_, written),) = time_formats(ast.parse(line))
    assert written == found
    assert not set(DIRECTIVE.findall(written)) <= PORTABLE_DIRECTIVES


@pytest.mark.parametrize("line", ["path.read_text()", "path.open('w')", "open(name, 'a')", "os.fdopen(fd, 'w')"])
def test_the_search_finds_files_without_encoding(line: str) -> None:
    assert list(calls_without_encoding(ast.parse(line))) == [1]


@pytest.mark.parametrize(
    "line", ["path.open('rb')", "os.open(p, 1)", "path.read_text(encoding='utf-8')", "door.open()", "read_text(body)"]
)
def test_the_search_ignores_other_calls(line: str) -> None:
    assert list(calls_without_encoding(ast.parse(line))) == []
