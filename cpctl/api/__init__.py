"""Calls to Cloudprinter's service. The only folder that imports requests.

The names in `__all__` are the stable interface for Python scripts; docs/python.md describes them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cpctl.api.calls import ChangeCounts, call, parse_change_counts
    from cpctl.api.client import Client, Response
    from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
    from cpctl.api.failures import Failure

__all__ = ["ENDPOINTS", "ChangeCounts", "Client", "Effect", "Endpoint", "Failure", "Response"]
__all__ += ["call", "parse_change_counts"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use: importing requests takes longer than accepting a signal."""
    from importlib import import_module

    for module in ("endpoints", "failures", "calls", "client") if name in __all__ else ():
        found = vars(import_module(f"{__name__}.{module}"))
        if name in found:
            return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
