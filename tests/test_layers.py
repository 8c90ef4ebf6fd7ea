"""The rules of CONTRIBUTING.md about the layout: layers, one door per library, names, and sizes."""

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "cpctl"
FILES = sorted(ROOT.rglob("*.py"))

# Each folder with the folders it may import. All folders may import the shared modules.
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
    "ruamel": {"config/changes.py"},
    "jmespath": {"output/streams.py"},
    "barcode": {"packing/command_sheet.py"},
    "uvicorn": {"webhooks/server/http_server.py"},
    "click": set(),
}
# Modules that Windows lacks; a function that needs one imports it itself.
POSIX_ONLY = {"fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "syslog", "curses"}
# Modules are named for what they hold: of the names in -ing, only nouns.
NOUNS_IN_ING = {
    "column_mapping",
    "escaping",
    "event_pruning",
    "key_masking",
    "masking",
    "packing",
    "pricing",
    "shipping",
}
# The models of a folder are its own subject. `api.calls` makes one call; `cli.calls` makes the calls of a command.
SHARED_MODULE_NAMES = {"calls", "models"}
MAX_FILE_LINES = 400
MAX_FOLDER_FILES = 20


def relative_name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def module_name(file: Path) -> str:
    """The dotted name of a module within cpctl: `cli.commands.signal` for `cli/commands/signal/__init__.py`."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
MODULES = {module_name(file): file for file in FILES}


def imported_modules(file: Path) -> Iterator[tuple[str, ast.stmt]]:
    """Every module that a file imports, at the top or inside a function."""
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or "", node


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imported_files(file: Path) -> set[str]:
    """The modules of cpctl that a file imports when it runs: types alone are no dependency."""
    found: set[str] = set()
    for_types = {child for node in ast.walk(TREES[file]) if is_type_checking(node) for child in ast.walk(node)}
    for node in ast.walk(TREES[file]):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("cpctl.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cpctl"):
            folder = (node.module or "").removeprefix("cpctl").removeprefix(".")
            inner = {f"{folder}.{alias.name}".removeprefix(".") for alias in node.names}
            found |= {name if name in MODULES else folder for name in inner}
    return (found & set(MODULES)) - {module_name(file)}


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_a_folder_imports_only_the_layers_below_it(file: Path) -> None:
    folder = relative_name(file).split("/")[0]
    if folder.endswith(".py"):  # errors, __init__ and __main__ are above the folders
        allowed = {"cli"} if folder == "__main__.py" else SHARED_MODULES
    else:
        allowed = ALLOWED_IMPORTS[folder] | {folder} | SHARED_MODULES
    for module, node in imported_modules(file):
        top, _, rest = module.partition(".")
        if top == "cpctl" and rest:
            assert rest.split(".")[0] in allowed, f"{relative_name(file)}, line {node.lineno}: {module}"


def test_no_files_import_each_other_in_a_circle() -> None:
    remaining = {module_name(file): imported_files(file) for file in FILES}
    while free := {name for name, needed in remaining.items() if not needed & remaining.keys()}:
        remaining = {name: needed for name, needed in remaining.items() if name not in free}
    assert not remaining, "these modules are in a circle of imports, or import one"


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_each_library_is_imported_in_one_place(file: Path) -> None:
    own = {relative_name(file), relative_name(file).split("/")[0]}
    for module, node in imported_modules(file):
        top = module.split(".")[0]
        known = top in LIBRARY_OWNERS or top == "cpctl" or top in sys.stdlib_module_names
        assert known, f"{relative_name(file)}, line {node.lineno}: {top} has no place"
        if top in LIBRARY_OWNERS:
            assert LIBRARY_OWNERS[top] & own, (
                f"{relative_name(file)}, line {node.lineno}: {top} belongs in {LIBRARY_OWNERS[top]}"
            )


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_every_module_can_be_imported_on_windows(file: Path) -> None:
    body = TREES[file].body
    at_top = {alias.name.split(".")[0] for node in body if isinstance(node, ast.Import) for alias in node.names}
    at_top |= {(node.module or "").split(".")[0] for node in body if isinstance(node, ast.ImportFrom)}
    assert not at_top & POSIX_ONLY


def test_every_class_name_is_used_once() -> None:
    names = Counter(node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert not {name for name, count in names.items() if count > 1}


def test_every_module_name_is_used_once() -> None:
    """Below `cli/commands/` the path is the command, so that names may repeat there."""
    places = defaultdict(list)
    for file in FILES:
        if file.stem != "__init__" and not relative_name(file).startswith("cli/commands/"):
            places[file.stem].append(relative_name(file))
    assert not {name: files for name, files in places.items() if len(files) > 1 and name not in SHARED_MODULE_NAMES}


def test_modules_and_folders_are_named_for_what_they_hold() -> None:
    names = {part for name in MODULES for part in name.split(".") if part.endswith("ing")}
    assert not names - NOUNS_IN_ING


@pytest.mark.parametrize("file", FILES, ids=relative_name)
def test_no_file_is_too_long(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


def test_no_folder_holds_too_many_files() -> None:
    counts = Counter(relative_name(file.parent) for file in FILES)
    assert not {folder: count for folder, count in counts.items() if count > MAX_FOLDER_FILES}
