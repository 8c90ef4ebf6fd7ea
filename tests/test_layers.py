"""Holds the house to its drawing: who may import whom, and through which door a library comes in."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "cpctl"
FILES = sorted(ROOT.rglob("*.py"))

# Each folder and what it may import of cpctl's own. All may import the shared modules.
SHARED_MODULES = {"clock", "errors", "files", "masking", "net", "retry", "yaml_reader"}
ALLOWED_IMPORTS = {
    "signals": set(),
    "api": set(),
    "config": {"signals"},
    "store": set(),
    "outbox": {"signals", "store"},
    "imports": {"signals", "store", "outbox"},
    "reference_data": set(),
    "order_documents": {"reference_data"},
    "output": set(),
    "diagnostics": set(),
    "packing": {"signals", "store", "outbox", "output"},
    "webhooks": {"signals", "store", "outbox"},
    "service_units": set(),
    "sandbox": {"signals", "reference_data"},
    "sdk": {"signals", "api", "config", "store", "outbox"},
}
ALLOWED_IMPORTS["cli"] = set(ALLOWED_IMPORTS)
# Each library and where it may be imported; a folder stands for all its files.
LIBRARY_OWNERS = {
    "typer": {"cli"},
    "requests": {"api/client.py"},
    "urllib3": {"api/client.py"},
    "rich": {"output/table.py"},
    "sqlite3": {"store/store.py"},
    "platformdirs": {"config/paths.py"},
    "yaml": {"yaml_reader.py", "output/formats.py"},
    "ruamel": {"config/yaml_editor.py"},
    "jmespath": {"output/streams.py"},
    "barcode": {"packing/command_sheet.py"},
    "uvicorn": {"webhooks/server/http_server.py"},
    "click": set(),
}
# Modules that Windows lacks; importing one inside the function that needs it is fine.
POSIX_ONLY = {"fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "syslog", "curses"}


def imported_modules(file: Path) -> Iterator[tuple[str, ast.stmt]]:
    """Every module that a file imports, lazily or not."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or "", node


def relative_name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_a_folder_knows_only_the_neighbours_the_drawing_shows(file: Path) -> None:
    folder = relative_name(file).split("/")[0]
    if folder.endswith(".py"):  # errors, __init__ and __main__ stand above the folders
        allowed = {"cli"} if folder == "__main__.py" else SHARED_MODULES
    else:
        allowed = ALLOWED_IMPORTS[folder] | {folder} | SHARED_MODULES
    for module, node in imported_modules(file):
        top, _, rest = module.partition(".")
        if top == "cpctl" and rest:
            assert rest.split(".")[0] in allowed, f"{relative_name(file)}, line {node.lineno}: {module}"


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_a_library_comes_in_by_its_one_door(file: Path) -> None:
    own = {relative_name(file), relative_name(file).split("/")[0]}
    for module, node in imported_modules(file):
        top = module.split(".")[0]
        known = top in LIBRARY_OWNERS or top == "cpctl" or top in sys.stdlib_module_names
        assert known, f"{relative_name(file)}, line {node.lineno}: {top} has no door"
        if top in LIBRARY_OWNERS:
            assert LIBRARY_OWNERS[top] & own, (
                f"{relative_name(file)}, line {node.lineno}: {top} belongs in {LIBRARY_OWNERS[top]}"
            )


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_no_module_needs_posix_to_be_imported(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    at_top = {alias.name.split(".")[0] for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    at_top |= {(node.module or "").split(".")[0] for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert not at_top & POSIX_ONLY


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_no_room_is_too_full(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400
