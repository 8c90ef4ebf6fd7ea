"""The terminal of the tests of the command line serves here, too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "cli"))
