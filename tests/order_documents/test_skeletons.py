"""A skeleton passes its own checks and shows every field."""

import re
from collections.abc import Iterator

import pytest

from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, DocumentSection, find_problems
from cpctl.order_documents.preparation import prepare_document
from cpctl.order_documents.reader import read_document
from cpctl.order_documents.skeletons import CORE_SKELETON, PUBLISH_SKELETON

each_skeleton = pytest.mark.parametrize(
    ("skeleton", "section"), [(CORE_SKELETON, ORDER), (PUBLISH_SKELETON, PUBLISH_ORDER)], ids=["core", "publish"]
)


def field_names(section: DocumentSection) -> Iterator[str]:
    for field in section.fields.values():
        yield field.name
        if field.section is not None:
            yield from field_names(field.section)


@each_skeleton
def test_a_skeleton_passes_its_own_checks(skeleton: str, section: DocumentSection) -> None:
    document = read_document("skeleton", skeleton.encode())
    assert find_problems(section, document) == []
    assert find_problems(section, prepare_document(document, str)) == []
    assert document["addresses"][0]["zip"] == "01234"


@each_skeleton
def test_a_skeleton_shows_every_field(skeleton: str, section: DocumentSection) -> None:
    assert set(field_names(section)) <= set(re.findall(r"\w+", skeleton))


@each_skeleton
def test_every_commented_line_of_a_skeleton_can_be_uncommented(skeleton: str, section: DocumentSection) -> None:
    text = re.sub(r"(?m)^(\s*)# ((?:- )?\w+:( .*)?|  \w+: .*)$", r"\1\2", skeleton)
    document = read_document("skeleton", text.encode())
    assert len(document["items"][0]) > len(read_document("skeleton", skeleton.encode())["items"][0])
    assert [problem for problem in find_problems(section, document) if "not a known field" in problem.message] == []


@each_skeleton
def test_a_skeleton_fits_a_terminal(skeleton: str, section: DocumentSection) -> None:
    assert all(len(line) <= 110 for line in skeleton.splitlines())
    assert skeleton.endswith("\n")
    assert "\t" not in skeleton
