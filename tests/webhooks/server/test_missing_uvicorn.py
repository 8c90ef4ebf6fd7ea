"""uvicorn is an extra: only `webhooks serve` needs it, and says so if it is missing."""

import sys
from pathlib import Path

import pytest

from harness.cli_environment import CliEnvironment
from harness.webhooks.webhook_server import make_webhook_cli


@pytest.fixture
def cli_without_uvicorn(tmp_path: Path) -> CliEnvironment:
    """A CLI environment in which importing uvicorn fails."""
    cli = make_webhook_cli(tmp_path)
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "uvicorn.py").write_text("raise ModuleNotFoundError(\"No module named 'uvicorn'\", name='uvicorn')\n")
    path = f"{blocked}:{cli.environment['PYTHONPATH']}"
    return CliEnvironment(tmp_path, {**cli.environment, "PYTHONPATH": path})


def test_serve_without_uvicorn_says_what_to_install(cli_without_uvicorn: CliEnvironment) -> None:
    for words in ((), ("--dry-run",)):
        result = cli_without_uvicorn.run("webhooks", "serve", *words)
        assert (result.code, result.out) == (3, "")
        assert result.err == (
            "cpctl: `webhooks serve` needs the package uvicorn, which is not installed.\n"
            f"  Install it beside cpctl: {sys.executable} -m pip install uvicorn, or: pipx inject cpctl uvicorn\n"
        )


def test_a_missing_dependency_of_uvicorn_is_named(tmp_path: Path) -> None:
    cli = make_webhook_cli(tmp_path)
    (tmp_path / "h11.py").write_text("raise ModuleNotFoundError(\"No module named 'h11'\", name='h11')\n")
    result = cli.run("webhooks", "serve", PYTHONPATH=f"{tmp_path}:{cli.environment['PYTHONPATH']}")
    assert result.code == 3
    assert "needs the package h11" in result.err


@pytest.mark.parametrize(
    "words",
    [("--help",), ("webhooks", "--help"), ("webhooks", "serve", "--help"), ("signal", "types"), ("outbox", "list")],
    ids=" ".join,
)
def test_other_commands_work_without_uvicorn(cli_without_uvicorn: CliEnvironment, words: tuple[str, ...]) -> None:
    result = cli_without_uvicorn.run(*words)
    assert result.code == 0, result.err
