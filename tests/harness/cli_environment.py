"""An environment for a test: its own home, store and profile, and cpctl processes in it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpctl.sandbox.sandbox_state import API_KEYS

ORDER = "123456780000"
ITEM, SECOND_ITEM, THIRD_ITEM = "123456780001", "123456780002", "123456780003"
# A port on which nothing listens: "discard".
UNREACHABLE_URL = "http://127.0.0.1:9"
# A busy machine is slow; that is not a failure.
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class CliResult:
    """The result of a finished cpctl: its exit status and its output."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error object on standard error."""
        return json.loads(self.err.splitlines()[-1])["error"]


@dataclass(frozen=True)
class CliEnvironment:
    """Its own home, store and profile, and cpctl processes in it."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def store(self) -> Path:
        """The store file."""
        return self.folder / "data" / "cpctl.db"

    @property
    def config(self) -> Path:
        """The configuration file that `configure` writes and CPCTL_CONFIG names."""
        return self.folder / "config.yaml"

    def configure(self, text: str, mode: int = 0o600) -> None:
        """Write the configuration file."""
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(mode)

    def command_line(self, *arguments: str) -> list[str]:
        """The command line of a cpctl process."""
        return [sys.executable, "-m", "cpctl", *arguments]

    def process_environment(self, **changes: str | None) -> dict[str, str]:
        """The environment of a cpctl process; None removes a variable."""
        merged = {**self.environment, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def run(self, *arguments: str, input: str | None = None, **changes: str | None) -> CliResult:
        """Run cpctl to its end without a terminal. Standard input is empty unless given."""
        done = subprocess.run(
            self.command_line(*arguments),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.process_environment(**changes),
            cwd=self.folder,
            timeout=TIMEOUT_SECONDS,
        )
        return CliResult(done.returncode, done.stdout, done.stderr)

    def run_json(self, *arguments: str, code: int = 0, **changes: str | None) -> Any:
        """Run cpctl with `-o json`, check its exit status, and return its result."""
        result = self.run(*arguments, "-o", "json", **changes)
        assert result.code == code, (result.code, result.out, result.err)
        return result.data

    def start(self, *arguments: str, **changes: str | None) -> subprocess.Popen[str]:
        """Start cpctl and leave it running."""
        return subprocess.Popen(
            self.command_line(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self.process_environment(**changes),
            cwd=self.folder,
        )


def minimal_environment(folder: Path) -> dict[str, str]:
    """The environment without the machine's settings: as after a fresh login, or under cron."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "",
        "CPCTL_DATA_DIR": str(folder / "data"),
    }


def sandbox_key_variables() -> dict[str, str]:
    """The sandbox's keys as environment variables."""
    return {
        "CPCTL_CORE_KEY": API_KEYS["core"],
        "CPCTL_SIGNAL_KEY": API_KEYS["signal"],
        "CPCTL_WEBHOOK_KEY": API_KEYS["webhooks"],
    }


def sandbox_configuration(base_url: str, extra_settings: str = "    shipping_option: GLS\n") -> str:
    """A configuration with one profile, "sandbox"."""
    keys = "".join(f"    {service}: {{api_key: {key}}}\n" for service, key in API_KEYS.items())
    return f"profiles:\n  sandbox:\n    base_url: {base_url}\n{keys}{extra_settings}"


def shipped_command(item: str = ITEM, tracking: str = "1A2B3C4D5E6F", order: str = ORDER) -> Sequence[str]:
    """The arguments that report one item as shipped."""
    return ("signal", "shipped", item, "--order", order, "--tracking", tracking)
