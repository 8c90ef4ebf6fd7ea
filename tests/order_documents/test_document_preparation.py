"""The document is sent with the MD5 sums of local files and the lists that the API requires."""

import copy
import hashlib
from pathlib import Path

import pytest

from cpctl.errors import InvalidInput
from cpctl.order_documents.preparation import CHUNK_BYTES, compute_md5, prepare_document
from cpctl.order_documents.reader import read_document
from examples.core_requests import make_order, make_quote
from examples.document_examples import PUBLISH_DOCUMENT_JSON, check_order
from examples.edits import replace_value

MD5_SUM = "0123456789abcdef0123456789abcdef"


def fail_if_read(path: str) -> str:
    raise AssertionError(path)


def check_progress(done: int, total: int) -> None:
    assert 0 < done <= total


def order_with_file_paths() -> dict[str, object]:
    document = replace_value(make_order(), "items[0].files[0].md5sum")
    document = replace_value(document, "items[0].files[0].path", "files/cover.pdf")
    note = {"type": "delivery_note", "url": "https://example.com/note", "path": "files/note.pdf"}
    return {**document, "files": [note]}


@pytest.mark.parametrize("document", [make_order(), make_quote(), read_document("x", PUBLISH_DOCUMENT_JSON.encode())])
def test_a_complete_document_is_sent_unchanged(document: dict[str, object]) -> None:
    assert prepare_document(document, fail_if_read) == document


@pytest.mark.parametrize("options", [{}, {"options": None}, {"options": []}])
def test_an_item_without_options_gets_an_empty_list(options: dict[str, object]) -> None:
    item = {"reference": "1", "product": "poster_a3_fc", "count": 1}
    assert prepare_document({"items": [item | options]}, fail_if_read) == {"items": [{**item, "options": []}]}


def test_an_item_of_a_publish_order_gets_no_options() -> None:
    document = read_document("x", PUBLISH_DOCUMENT_JSON.encode())
    assert "options" not in prepare_document(document, fail_if_read)["items"][0]


def test_a_path_is_replaced_by_the_md5_sum_of_its_file() -> None:
    document = order_with_file_paths()
    before = copy.deepcopy(document)
    sent = prepare_document(document, lambda path: {"files/cover.pdf": MD5_SUM, "files/note.pdf": MD5_SUM[::-1]}[path])
    assert sent["items"][0]["files"][0] == {
        "type": "cover",
        "url": "https://download.example.com/files/9aade201b3a85ceec318b2240d5eb373",
        "md5sum": MD5_SUM,
    }
    assert sent["files"] == [{"type": "delivery_note", "url": "https://example.com/note", "md5sum": MD5_SUM[::-1]}]
    assert document == before
    assert check_order(document) == check_order(sent) == []


def test_unknown_fields_are_kept() -> None:
    document = {"new": {"deep": [1, None]}, "items": [{"new": 1, "options": [], "files": [{"new": 2}]}]}
    assert prepare_document(document, fail_if_read) == document


def test_a_file_that_is_named_twice_is_read_once() -> None:
    read: list[str] = []
    file = {"type": "product", "path": "same.pdf"}
    prepare_document({"items": [{"files": [file, file]}, {"files": [file]}]}, lambda path: read.append(path) or MD5_SUM)
    assert read == ["same.pdf"]


@pytest.mark.parametrize("document", [{}, {"items": None}, {"items": [1, None, {"files": "x"}]}, {"files": [1]}])
def test_a_document_of_another_shape_is_left_to_the_checks(document: dict[str, object]) -> None:
    assert set(prepare_document(document, fail_if_read)) == set(document)


def test_a_large_file_is_read_in_chunks_with_progress(tmp_path: Path) -> None:
    content = bytes(range(256)) * (CHUNK_BYTES // 256) * 3 + b"rest"
    file = tmp_path / "book.pdf"
    file.write_bytes(content)
    calls: list[tuple[int, int]] = []
    assert compute_md5(file, lambda done, total: calls.append((done, total))) == hashlib.md5(content).hexdigest()
    assert calls == [(n, len(content)) for n in (CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES, len(content))]
    assert compute_md5(str(file), check_progress) == hashlib.md5(content).hexdigest()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.pdf", "No such file"), (tmp_path, "directory")):
        with pytest.raises(InvalidInput) as caught:
            compute_md5(path, check_progress)
        assert f"Cannot read {path}: " in caught.value.message
        assert reason in caught.value.message


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.pdf"
    file.touch()
    with pytest.raises(InvalidInput, match="is empty"):
        compute_md5(file, check_progress)
