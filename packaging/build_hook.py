"""Builds the manual pages into the wheel. Hatchling runs this for every build, also for `pip install .`.

The pages come from the command tree, for which the build needs typer: see `build-system` in pyproject.toml.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes the manual pages to a temporary folder, and adds them to the shared data of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages; hatchling calls this before it builds."""
        sys.dont_write_bytecode = True  # a build leaves no files in the source tree
        sys.path.insert(0, self.root)  # the source tree that is being built, before any installed cpctl
        from tools.docs.manual_pages import write_manual_pages

        self._folder = tempfile.TemporaryDirectory()
        write_manual_pages(Path(self._folder.name))
        build_data["shared_data"][self._folder.name] = "share/man"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the pages; hatchling calls this after it has built."""
        self._folder.cleanup()
