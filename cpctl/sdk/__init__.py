"""What Python scripts and the command line use to report signals and to make calls.

The names in `__all__` are the public interface that docs/python.md describes.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cpctl.outbox.models import State
    from cpctl.sdk.partner import Partner
    from cpctl.sdk.results import SignalResult, exit_code

__all__ = ["Partner", "SignalResult", "State", "exit_code"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use: the command line needs only a part of this folder."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cpctl.sdk import partner

    return getattr(partner, name)
