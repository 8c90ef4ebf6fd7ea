"""The time of a Tab, compared with importing typer. Run by `make bench`."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.paired_timing import table_row, time_in_turn
from cpctl.cli.completion.hint_cache import MAX_PER_KIND, CachedCandidate, cache_path, write_cache
from cpctl.clock import utc_now
from cpctl.outbox.outbox import Outbox
from cpctl.signals.signal import Signal
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.store.store import Store

ITEM_COUNT = 5000
SCRIPTS = Path(__file__).parent.parent / "completions"
# A Tab in each shell, with loading of the script; static words start no Python.
STATIC_COMPLETION_COMMANDS = {
    "bash": [
        "-c",
        f"source '{SCRIPTS}/cpctl.bash'; COMP_LINE='cpctl orders list --state u' COMP_POINT=27 COMP_CWORD=4;"
        "COMP_WORDS=(cpctl orders list --state u); _cpctl 2>/dev/null; [ ${#COMPREPLY[@]} = 3 ]",
    ],
    "fish": [
        "--no-config",
        "-c",
        f"source '{SCRIPTS}/cpctl.fish'; test (complete -C 'cpctl orders list --state u' | count) -ge 3",
    ],
}


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=40, help="pairs per row")
    runs = arguments.parse_args().runs
    print('| a Tab on | cpctl | `python -c "import typer"` | ratio | middle half of pairs | target |')
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        for kind, name in _DYNAMIC_COMPLETIONS.items():
            ours = [str(Path(sys.executable).with_name("cpctl")), "__complete", kind]
            print(_table_row(name, ours, runs, environment), flush=True)
        for shell, arguments_of_shell in STATIC_COMPLETION_COMMANDS.items():
            if program := shutil.which(shell):
                name = f"an order state in {shell}, with loading of the script"
                print(_table_row(name, [program, *arguments_of_shell], runs, environment), flush=True)


_DYNAMIC_COMPLETIONS = {
    "profiles": "a profile",
    "products": f"a product, {MAX_PER_KIND} known",
    "items": f"an item, {ITEM_COUNT} reported",
    "outbox-ids": f"an id of the outbox, {ITEM_COUNT} waiting",
}


def _table_row(name: str, ours: list[str], runs: int, environment: Mapping[str, str]) -> str:
    baseline = [sys.executable, "-c", "import typer"]
    return table_row(name, time_in_turn(lambda number: ours, lambda number: baseline, runs, environment), 1.20)


def _environment(folder: Path) -> dict[str, str]:
    """A configuration with two profiles, a store with signals, and a completion cache."""
    config = folder / "config.yaml"
    config.touch(mode=0o600)
    keys = "signal: {api_key: 0123456789abcdef}"
    config.write_text(
        f"default_profile: production\nprofiles:\n  production:\n    {keys}\n  sandbox:\n    {keys}\n", encoding="utf-8"
    )
    products = [CachedCandidate("products", f"product_{number}", "A product") for number in range(MAX_PER_KIND)]
    write_cache(cache_path(folder / ".cache" / "cpctl", "production", config), products)
    store = Store(folder / "data" / "cpctl.db", print)
    fields = ({"order": str(10**11 + number // 3), "item": str(2 * 10**11 + number)} for number in range(ITEM_COUNT))
    signals = [Signal(SIGNAL_TYPES["ItemPacked"], "2.0", each, utc_now()) for each in fields]
    Outbox(store, "production").accept(signals)
    store.close()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}),
        "CPCTL_CONFIG": str(config),
        "CPCTL_DATA_DIR": str(folder / "data"),
    }


if __name__ == "__main__":
    main()
