"""What each command imports: lists of modules, which unlike milliseconds do not depend on the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli_environment import ITEM, ORDER, CliEnvironment, shipped_command

LIST_MODULES = """
import json, sys
from cpctl.cli.main import main
status = main(sys.argv[1:])
sys.stdout = sys.__stdout__
print("\\n" + json.dumps([status, sorted(sys.modules)]))
"""
HEAVY_MODULES = {
    "requests",
    "urllib3",
    "rich",
    "pydantic",
    "jmespath",
    "http.server",
    "cpctl.sandbox",
    "prompt_toolkit",
    "ruamel",
    "uvicorn",
    "h11",
    "asyncio",
    "cpctl.webhooks.server.app",
}
CLI_FOLDER = Path(__file__).parent.parent / "cpctl" / "cli"
QUEUE_ONLY_COMMAND = (*shipped_command(), "--queue-only")


def loaded_modules(cli: CliEnvironment, *arguments: str, code: int = 0, **changes: str | None) -> set[str]:
    """The modules that are loaded when a command ends."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *arguments],
        capture_output=True,
        text=True,
        env=cli.process_environment(**changes),
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == code, done.stderr
    return set(modules)


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (
            ["--version"],
            HEAVY_MODULES | {"yaml", "sqlite3", "platformdirs", "cpctl.outbox", "cpctl.cli.commands.signal"},
        ),
        (
            ["--help"],
            HEAVY_MODULES
            | {"yaml", "sqlite3", "cpctl.outbox", "cpctl.cli.commands.signal", "cpctl.cli.commands.outbox"},
        ),
        (
            ["signal", "--help"],
            HEAVY_MODULES
            | {"yaml", "cpctl.cli.commands.outbox", "cpctl.cli.commands.profile", "cpctl.cli.commands.sandbox"},
        ),
        (
            ["help", "exit-codes"],
            HEAVY_MODULES | {"yaml", "sqlite3", "platformdirs", "cpctl.outbox", "cpctl.cli.commands.signal"},
        ),
        (
            ["help", "outbox", "--help"],
            HEAVY_MODULES | {"yaml", "sqlite3", "cpctl.cli.commands.signal", "cpctl.cli.commands.outbox"},
        ),
        (
            ["explain", "shipped"],
            HEAVY_MODULES - {"cpctl.sandbox"} | {"yaml", "cpctl.order_documents", "cpctl.cli.commands.outbox"},
        ),
        (
            ["signal", "causes", "-o", "json"],
            HEAVY_MODULES | {"yaml", "cpctl.outbox.dispatcher", "cpctl.cli.commands.outbox"},
        ),
        (["signal", "types"], HEAVY_MODULES | {"yaml", "cpctl.outbox.dispatcher", "cpctl.cli.commands.outbox"}),
        (
            ["profile", "--help"],
            HEAVY_MODULES
            | {"yaml", "cpctl.cli.commands.signal", "cpctl.cli.commands.outbox", "cpctl.cli.commands.sandbox"},
        ),
        (
            ["profile", "list"],
            HEAVY_MODULES | {"cpctl.cli.commands.signal", "cpctl.outbox.dispatcher", "cpctl.cli.commands.profile.init"},
        ),
        (["doctor", "--help"], HEAVY_MODULES | {"yaml", "sqlite3", "cpctl.diagnostics", "cpctl.cli.commands.outbox"}),
        (["doctor", "--offline"], HEAVY_MODULES | {"cpctl.api.client", "cpctl.cli.commands.doctor.bundle"}),
        ([*QUEUE_ONLY_COMMAND], HEAVY_MODULES | {"cpctl.outbox.dispatcher", "cpctl.api.client"}),
        ([*shipped_command(), "--dry-run"], HEAVY_MODULES | {"cpctl.api.client"}),
        ([*shipped_command()], HEAVY_MODULES - {"requests", "urllib3"}),
        ([*shipped_command(), "-o", "json"], HEAVY_MODULES - {"requests", "urllib3"}),
        (["outbox", "flush"], HEAVY_MODULES | {"cpctl.api.client"}),
        (["outbox", "check"], HEAVY_MODULES | {"cpctl.api.client"}),
        (["signal", "history", "-o", "tsv"], HEAVY_MODULES | {"cpctl.api.client"}),
        (["whoami", "-o", "json"], HEAVY_MODULES | {"cpctl.api.client"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_only_what_it_needs(cli: CliEnvironment, arguments: list[str], without: set[str]) -> None:
    assert not loaded_modules(cli, *arguments) & without


@pytest.mark.parametrize(
    "module",
    sorted(
        ".".join(path.relative_to(CLI_FOLDER).with_suffix("").parts).removesuffix(".__init__")
        for path in CLI_FOLDER.rglob("*.py")
        if path.parent != CLI_FOLDER or path.stem != "__init__"
    ),
)
def test_no_module_of_the_cli_imports_the_server_library(module: str) -> None:
    """`webhooks serve` alone needs it, and imports it when it runs."""
    script = f"import sys, cpctl.cli.{module}; print(sorted({{'uvicorn', 'h11', 'asyncio'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (["profiles"], {"sqlite3"}),
        (["products"], {"sqlite3"}),
        (["items"], set()),
        (["outbox-ids"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_tab_loads_neither_typer_nor_what_its_candidates_do_not_need(
    cli: CliEnvironment, arguments: list[str], without: set[str]
) -> None:
    code = """
import json, sys
from cpctl.cli.completion.candidates import print_candidates
print_candidates(sys.argv[1:])
print("\\n" + json.dumps(sorted(sys.modules)))
"""
    for _ in range(2):  # the first Tab after a change of the configuration parses it
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=cli.process_environment()
        )
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert not modules & (HEAVY_MODULES | {"typer", "yaml", "subprocess", "cpctl.outbox.models"} | without)


def test_a_signal_is_in_the_store_before_requests_is_imported(cli: CliEnvironment) -> None:
    watch = f"""
import sqlite3, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "requests":
            rows = sqlite3.connect({str(cli.store)!r}).execute("SELECT item FROM signals").fetchall()
            print("accepted before:", rows)
        return None

sys.meta_path.insert(0, Watch())
from cpctl.cli.main import main
main(sys.argv[1:])
"""
    done = subprocess.run(
        [sys.executable, "-c", watch, *shipped_command()], capture_output=True, text=True, env=cli.process_environment()
    )
    assert f"accepted before: [('{ITEM}',)]" in done.stdout, done.stderr
    assert cli.run_json("signal", "history")[0]["order"] == ORDER
