"""The time that cpctl takes to start, compared with minimal programs that do the same. Run by `make bench`."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.paired_timing import table_row, time_in_turn
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox

ORDER = "123456780000"
# A five-minute script: no store, no checks, no retry, the key in the source.
BASELINE_PROGRAM = """
import requests, typer

def shipped(item: str, order: str = typer.Option(...), tracking: str = typer.Option(...)):
    body = {"apikey": "%(key)s", "type": "ItemShipped", "order": order, "item": item, "tracking": tracking,
            "shipping_option": "GLS", "datetime": "2016-01-20 13:00:00 GMT"}
    requests.post("%(url)s/cloudsignal/2.0/status/", json=body, timeout=30).raise_for_status()

typer.run(shipped)
"""


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=40, help="pairs per row")
    runs = arguments.parse_args().runs
    print("| command | cpctl | compared with | ratio | middle half of pairs | target |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, Sandbox(items=999) as sandbox:
        folder = Path(name)
        environment = _environment(folder, sandbox)
        print(_version_row(runs, environment), flush=True)
        print(_signal_row(runs, environment, folder, sandbox), flush=True)


def _environment(folder: Path, sandbox: Sandbox) -> dict[str, str]:
    config = folder / "config.yaml"
    config.touch(mode=0o600)
    config.write_text(
        f"profiles:\n  bench:\n    base_url: {sandbox.base_url}\n    shipping_option: GLS\n"
        f"    signal: {{api_key: {API_KEYS['signal']}}}\n    core: {{api_key: {API_KEYS['core']}}}\n",
        encoding="utf-8",
    )
    # Compiled files are beside the sources, as after any installation.
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CPCTL_CONFIG": str(config),
        "CPCTL_DATA_DIR": str(folder / "data"),
    }


def _version_row(runs: int, environment: dict[str, str]) -> str:
    baseline = [sys.executable, "-c", "import typer"]
    pair = time_in_turn(lambda number: [_cpctl_path(), "--version"], lambda number: baseline, runs, environment)
    return table_row('`cpctl --version`, compared with `python -c "import typer"`', pair, 1.15)


def _signal_row(runs: int, environment: dict[str, str], folder: Path, sandbox: Sandbox) -> str:
    script = folder / "script.py"
    script.write_text(BASELINE_PROGRAM % {"key": API_KEYS["signal"], "url": sandbox.base_url}, encoding="utf-8")

    def arguments(number: int) -> list[str]:
        return [f"12345678{number + 3:04d}", "--order", ORDER, "--tracking", "1A2B3C4D5E6F"]

    pair = time_in_turn(
        lambda number: [_cpctl_path(), "signal", "shipped", *arguments(number)],
        lambda number: [sys.executable, str(script), *arguments(number)],
        runs,
        environment,
    )
    return table_row("`cpctl signal shipped`, compared with a script that uses typer and requests", pair, 1.15)


def _cpctl_path() -> str:
    return str(Path(sys.executable).with_name("cpctl"))


if __name__ == "__main__":
    main()
