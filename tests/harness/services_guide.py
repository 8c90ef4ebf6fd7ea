"""The blocks of docs/services.md."""

import re
from pathlib import Path

SERVICES_GUIDE = Path(__file__).parent.parent.parent / "docs" / "services.md"


def services_blocks(language: str) -> list[str]:
    """Every fenced block of a language, in the order of the document."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", SERVICES_GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
