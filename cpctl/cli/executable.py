"""The command line that starts this cpctl again."""

import sys
from pathlib import Path


def find_own_command() -> list[str]:
    """The command line of the running cpctl, whether it is installed, a module, or a zip application."""
    loader = getattr(sys.modules.get("__main__"), "__loader__", None)
    archive = getattr(loader, "archive", None)  # only the loader of a zip file has one
    return [sys.executable, str(Path(archive).absolute())] if archive else [sys.executable, "-m", "cpctl"]
