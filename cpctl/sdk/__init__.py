"""A print partner at work, for scripts in Python: profile, outbox and calls brought together. Knows no words.

The names in `__all__` stay what they are, as docs/python.md shows them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cpctl.outbox.models import State
    from cpctl.sdk.partner import Partner, SignalResult, exit_code

__all__ = ["Partner", "SignalResult", "State", "exit_code"]


def __getattr__(name: str) -> Any:
    """A public name, imported on first use: the command line needs no more of this folder than its sender."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cpctl.sdk import partner

    return getattr(partner, name)
