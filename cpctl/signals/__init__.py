"""What a production signal is: its types, its fields and their checks. No I/O.

The names in `__all__` are the public interface that docs/python.md describes.
"""

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
