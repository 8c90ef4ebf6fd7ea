"""What a production signal is: its kinds, its fields and their checks. No I/O.

For those who script in Python: the names in `__all__` stay what they are, as docs/python.md shows them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cpctl.signals.causes import CANCEL_CAUSES
    from cpctl.signals.signal import Signal, make_signal, wire_time
    from cpctl.signals.signal_types import (
        API_VERSIONS,
        LATEST_API_VERSION,
        SIGNAL_FIELDS,
        SIGNAL_TYPES,
        SignalField,
        SignalType,
    )

__all__ = [
    "API_VERSIONS",
    "CANCEL_CAUSES",
    "LATEST_API_VERSION",
    "SIGNAL_FIELDS",
    "SIGNAL_TYPES",
    "Signal",
    "SignalField",
    "SignalType",
    "make_signal",
    "wire_time",
]
_NAMES_BY_MODULE = {
    "causes": ("CANCEL_CAUSES",),
    "signal": ("Signal", "make_signal", "wire_time"),
    "signal_types": (
        "API_VERSIONS",
        "LATEST_API_VERSION",
        "SIGNAL_FIELDS",
        "SIGNAL_TYPES",
        "SignalField",
        "SignalType",
    ),
}


def __getattr__(name: str) -> Any:
    """A public name, imported on first use: what a command does not need must cost it nothing."""
    from importlib import import_module

    for module, names in _NAMES_BY_MODULE.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
