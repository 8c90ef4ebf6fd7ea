"""What a production signal is: its kinds, its fields and their checks. No I/O.

For those who script in Python: the names in `__all__` stay what they are, as docs/python.md shows them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cpctl.signals.causes import CAUSES
    from cpctl.signals.signal import Signal, make_signal, wire_time
    from cpctl.signals.signal_types import FIELDS, KINDS, LATEST, VERSIONS, Field, Kind

__all__ = [
    "CAUSES",
    "FIELDS",
    "KINDS",
    "LATEST",
    "VERSIONS",
    "Field",
    "Kind",
    "Signal",
    "make_signal",
    "wire_time",
]
_HOMES = {
    "causes": ("CAUSES",),
    "kinds": ("FIELDS", "KINDS", "LATEST", "VERSIONS", "Field", "Kind"),
    "signal": ("Signal", "make_signal", "wire_time"),
}


def __getattr__(name: str) -> Any:
    """A public name, imported on first use: what a command does not need must cost it nothing."""
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
