"""Every link in the documents has a target, and links to other hosts go to a few known ones."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.markdown_pages import DOCUMENTS, ROOT, heading_anchors, link_targets

ALLOWED_HOSTS = {"www.cloudprinter.com", "jmespath.org", "semver.org"}
LINKS = [(document, target) for document in DOCUMENTS for target in link_targets(document)]
INTERNAL_LINKS = [(document, target) for document, target in LINKS if "://" not in target]
EXTERNAL_LINKS = [(document, target) for document, target in LINKS if "://" in target]


def case_id(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("document", "target"), INTERNAL_LINKS, ids=case_id)
def test_every_link_has_an_existing_file_and_heading(document: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (document.parent / name).resolve() if name else document
    assert file.is_relative_to(ROOT.resolve()), f"{document.name} links out of this repository: {target}"
    assert file.exists(), f"{document.name}: there is no {target}"
    if anchor:
        assert anchor in heading_anchors(file), f"{document.name}: {name} has no heading for #{anchor}"


@pytest.mark.parametrize(("document", "target"), EXTERNAL_LINKS, ids=case_id)
def test_every_external_link_is_https_and_goes_to_a_known_host(document: Path, target: str) -> None:
    parts = urlsplit(target)
    assert parts.scheme == "https", f"{document.name}: {target}"
    assert parts.hostname in ALLOWED_HOSTS, f"{document.name}: {target}"


def test_links_are_found() -> None:
    assert len(INTERNAL_LINKS) > 12
    assert {urlsplit(target).hostname for _, target in EXTERNAL_LINKS} == ALLOWED_HOSTS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("## Cron, with an empty `environment`", {"cron-with-an-empty-environment"}),
        ("# Twice\n## Twice", {"twice", "twice-1"}),
        ("## 0.1.0 — not released yet", {"010--not-released-yet"}),
        ("```sh\n# no heading\n```\n## One_word-two", {"one_word-two"}),
    ],
)
def test_headings_have_the_anchors_that_markdown_viewers_use(tmp_path: Path, text: str, found: set[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert heading_anchors(page) == found
