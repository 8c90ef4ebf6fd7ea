"""The documents: their blocks, headings and links."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_BLOCK_PATTERN = re.compile(
    r"^(?:<!-- not run: (?P<why>[^\n]*?) -->\n+)?```(?P<language>\w*)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_HEADING_PATTERN = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
_LINK_PATTERN = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?\)|<(https?://[^>\s]+)>")
_INLINE_CODE_PATTERN = re.compile(r"(`+)(.+?)\1", re.DOTALL)


class FencedBlock(NamedTuple):
    """A fenced block: its language, its file name if it has one, and why it is not run."""

    language: str
    name: str
    text: str
    skip_reason: str


def fenced_blocks(document: Path) -> list[FencedBlock]:
    """Every fenced block, in the order of the document."""
    found = _BLOCK_PATTERN.finditer(document.read_text(encoding="utf-8"))
    return [FencedBlock(each["language"], each["name"] or "", each["text"], each["why"] or "") for each in found]


def prose_text(document: Path) -> str:
    """The document without its blocks."""
    return _BLOCK_PATTERN.sub("", document.read_text(encoding="utf-8"))


def inline_codes(document: Path) -> list[str]:
    """The texts between backticks outside of blocks."""
    return [" ".join(each[2].split()) for each in _INLINE_CODE_PATTERN.finditer(prose_text(document))]


def link_targets(document: Path) -> list[str]:
    """Every target of a link."""
    return [
        target or bare for target, bare in _LINK_PATTERN.findall(_INLINE_CODE_PATTERN.sub("", prose_text(document)))
    ]


def heading_anchors(document: Path) -> set[str]:
    """The anchors of headings, as Markdown viewers make them."""
    found: dict[str, int] = {}
    names = set()
    for heading in _HEADING_PATTERN.findall(prose_text(document)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names
