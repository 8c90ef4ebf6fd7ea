"""What a system that is not here would trip over, looked for in the source.

Functions that Windows or macOS lack are found by `make lint`, which checks the types for each of them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "cpctl").rglob("*.py"))
# What strftime writes alike in every language and on every system.
PORTABLE_DIRECTIVES = set("YmdHMSfz%")
DIRECTIVE = re.compile(r"%(-?.)")
OPENING_FUNCTIONS = {"open", "fdopen", "read_text", "write_text", "TextIOWrapper"}


def relative_name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def time_formats(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every format of a time: what stands after the colon in an f-string, and what strftime is given."""
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
        if name not in OPENING_FUNCTIONS or (
            name == "open" and getattr(getattr(node.func, "value", None), "id", "") == "os"
        ):
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
        plain_method = name == "open" and not modes and not node.keywords  # a door that opens, not a file
        if not named and not plain_method:
            yield node.lineno


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_no_time_is_written_in_the_words_of_one_language(file: Path) -> None:
    for line, written in time_formats(ast.parse(file.read_text(encoding="utf-8"))):
        assert set(DIRECTIVE.findall(written)) <= PORTABLE_DIRECTIVES, f"line {line}: {written}"


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_every_text_file_says_its_encoding(file: Path) -> None:
    assert list(calls_without_encoding(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("f'{at:%d %b}'", "%d %b"),
        ("at.strftime('%-d')", "%-d"),
    ],
)
def test_the_look_for_times_finds_them(line: str, found: str) -> None:
    ((_, written),) = time_formats(ast.parse(line))
    assert written == found
    assert not set(DIRECTIVE.findall(written)) <= PORTABLE_DIRECTIVES


@pytest.mark.parametrize("line", ["path.read_text()", "path.open('w')", "open(name, 'a')", "os.fdopen(fd, 'w')"])
def test_the_look_for_files_finds_them(line: str) -> None:
    assert list(calls_without_encoding(ast.parse(line))) == [1]


@pytest.mark.parametrize(
    "line", ["path.open('rb')", "os.open(p, 1)", "path.read_text(encoding='utf-8')", "door.open()"]
)
def test_the_look_for_files_lets_the_others_be(line: str) -> None:
    assert list(calls_without_encoding(ast.parse(line))) == []
