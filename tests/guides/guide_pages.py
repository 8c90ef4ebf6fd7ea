"""The documents: their blocks, their headings, their links."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<why>[^\n]*?) -->\n+)?```(?P<language>\w*)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?\)|<(https?://[^>\s]+)>")
_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, the file it is where it has a name, and why nobody runs it."""

    language: str
    name: str
    text: str
    not_run: str


def blocks(document: Path) -> list[Block]:
    """Every fenced block, in the order of the document."""
    found = _BLOCK.finditer(document.read_text(encoding="utf-8"))
    return [Block(each["language"], each["name"] or "", each["text"], each["why"] or "") for each in found]


def prose(document: Path) -> str:
    """The document without its blocks."""
    return _BLOCK.sub("", document.read_text(encoding="utf-8"))


def inline_codes(document: Path) -> list[str]:
    """What stands between backticks in the running text."""
    return [" ".join(each[2].split()) for each in _CODE.finditer(prose(document))]


def links(document: Path) -> list[str]:
    """Every target of a link."""
    return [target or bare for target, bare in _LINK.findall(_CODE.sub("", prose(document)))]


def anchors(document: Path) -> set[str]:
    """The names by which headings can be linked to, as the usual viewers of Markdown make them."""
    found: dict[str, int] = {}
    names = set()
    for heading in _HEADING.findall(prose(document)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names
