"""What a production signal is: its types, its fields and their checks. No I/O.

The names in `__all__` are the public interface that docs/python.md describes.
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


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that commands that do not need it start faster."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cpctl.signals import causes, signal, signal_types

    return next(vars(module)[name] for module in (causes, signal, signal_types) if name in vars(module))
