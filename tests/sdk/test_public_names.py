"""The public names for Python scripts are typed, and docs/python.md describes them."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MODULES = ("cpctl.sdk", "cpctl.signals", "cpctl.api")
NAMES = [(module, name) for module in MODULES for name in importlib.import_module(module).__all__]
EXAMPLE_SCRIPT = """
from datetime import UTC, datetime

from cpctl.api import ENDPOINTS, Client, call
from cpctl.errors import CpctlError
from cpctl.sdk import Partner, SignalResult, State, exit_code
from cpctl.signals import CANCEL_CAUSES, LATEST_API_VERSION, SIGNAL_TYPES, Signal, make_signal


def work(partner: Partner) -> int:
    now = datetime.now(UTC)
    packed = make_signal("ItemPacked", LATEST_API_VERSION, {}, now, now)
    signals: list[Signal] = [partner.signal("ItemPacked", "1", "2"), packed]
    results: list[SignalResult] = partner.report(signals)
    states: list[State] = [result.state for result in results if result.is_safe]
    client: Client = partner.client()
    try:
        print(call(client, ENDPOINTS["orders"], {}, 5.0), states, list(SIGNAL_TYPES), list(CANCEL_CAUSES))
    except CpctlError as error:
        return error.exit_code
    return exit_code(results)
"""
ILL_TYPED_SCRIPT = "from cpctl.sdk import Partner\nPartner().report('ItemPacked')\nPartner().signal(1, 2)\n"


def test_mypy_accepts_right_use_and_finds_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(EXAMPLE_SCRIPT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(ILL_TYPED_SCRIPT, encoding="utf-8")
    arguments = ["--strict", "--no-incremental", "--config-file", "", "right.py", "wrong.py"]
    done = subprocess.run([sys.executable, "-m", "mypy", *arguments], cwd=tmp_path, capture_output=True, text=True)
    found = [line.split(" ")[0] for line in done.stdout.splitlines() if " error: " in line]
    assert set(found) == {"wrong.py:2:", "wrong.py:3:"}, done.stdout


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_public_name_exists_and_is_documented(module: str, name: str) -> None:
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert f"`{name}`" in text or f"`{name}(" in text


@pytest.mark.parametrize("module", MODULES)
def test_a_missing_name_is_named_in_the_error(module: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Nonsense'"):
        importlib.import_module(module).Nonsense  # noqa: B018


def test_every_method_of_partner_is_documented() -> None:
    partner = importlib.import_module("cpctl.sdk").Partner
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    methods = [name for name in vars(partner) if not name.startswith("_")]
    assert [name for name in methods if f"`{name}" not in text] == []
