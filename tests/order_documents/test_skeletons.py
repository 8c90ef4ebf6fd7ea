"""A skeleton passes its own checks and shows every field there is."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cpctl.order_documents.checks import check_order, check_publish_order
from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, DocumentSection
from cpctl.order_documents.preparation import prepare_document
from cpctl.order_documents.reader import read_document
from cpctl.order_documents.skeletons import core_skeleton, publish_skeleton

each_skeleton = pytest.mark.parametrize(
    ("skeleton", "check", "level"),
    [(core_skeleton, check_order, ORDER), (publish_skeleton, check_publish_order, PUBLISH_ORDER)],
    ids=["core", "publish"],
)


def field_names(level: DocumentSection) -> Iterator[str]:
    for field in level.fields.values():
        yield field.name
        if field.section is not None:
            yield from field_names(field.section)


@each_skeleton
def test_a_skeleton_passes_its_own_checks(skeleton: Callable[[], str], check: Any, level: DocumentSection) -> None:
    document = read_document("skeleton", skeleton().encode())
    assert check(document) == []
    assert check(prepare_document(document, lambda path: path)) == []
    assert document["addresses"][0]["zip"] == "01234"


@each_skeleton
def test_a_skeleton_shows_every_field(skeleton: Callable[[], str], check: Any, level: DocumentSection) -> None:
    shown = set(re.findall(r"\w+", skeleton()))
    assert set(field_names(level)) <= shown


@each_skeleton
def test_a_skeleton_with_its_optional_lines_is_still_read(
    skeleton: Callable[[], str], check: Any, level: DocumentSection
) -> None:
    """Every line that is only commented out can be taken in as it stands."""
    text = re.sub(r"(?m)^(\s*)# ((?:- )?\w+:( .*)?|  \w+: .*)$", r"\1\2", skeleton())
    document = read_document("skeleton", text.encode())
    assert len(document["items"][0]) > len(read_document("skeleton", skeleton().encode())["items"][0])
    assert [problem for problem in check(document) if "no field" in problem.message] == []


@each_skeleton
def test_a_skeleton_fits_a_terminal_and_ends_its_last_line(
    skeleton: Callable[[], str], check: Any, level: DocumentSection
) -> None:
    assert all(len(line) <= 110 for line in skeleton().splitlines())
    assert skeleton().endswith("\n")
    assert "\t" not in skeleton()
