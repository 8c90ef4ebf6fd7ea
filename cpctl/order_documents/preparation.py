"""The document as it is sent: the sums of files at hand computed, and the lists the API insists on."""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.order_documents.problems import has_value
from cpctl.order_documents.reader import Document

CHUNK_BYTES = 1024 * 1024


def prepare_document(document: Document, hash_file: Callable[[str], str]) -> Document:
    """The document to send: `options` of every item, `md5sum` in place of every `path`; all else as it was.

    Each file is read once, however many items name it. The document itself is left alone.
    """
    sum_of = cache(hash_file)
    sent = dict(document)
    if isinstance(sent.get("files"), list):
        sent["files"] = [_prepare_file(each, sum_of) for each in sent["files"]]
    if isinstance(sent.get("items"), list):
        # Titles of CloudPublish have no options; its orders are known by their order_reference.
        titles = "order_reference" in document
        sent["items"] = [_prepare_item(each, sum_of, titles) for each in sent["items"]]
    return sent


def compute_md5(path: str | Path, progress: Callable[[int, int], None]) -> str:
    """The MD5 sum of a file of any size; `progress` hears of bytes done and of all. Raises InvalidInput."""
    summed = hashlib.md5(usedforsecurity=False)
    done = 0
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while piece := file.read(CHUNK_BYTES):
                summed.update(piece)
                done += len(piece)
                progress(done, max(size, done))
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}.",
            "`path` is the file on this machine, of which cpctl computes md5sum.",
        ) from error
    if not done:
        raise InvalidInput(f"{path} is empty; there is nothing to print in it.")
    return summed.hexdigest()


def _prepare_item(item: Any, hash_file: Callable[[str], str], is_title: bool) -> Any:
    if not isinstance(item, dict):
        return item
    sent = dict(item)
    if isinstance(sent.get("files"), list):
        sent["files"] = [_prepare_file(each, hash_file) for each in sent["files"]]
    # The live API fails without a list here, even an empty one.
    if not is_title and sent.get("options") is None:
        sent["options"] = []
    return sent


def _prepare_file(file: Any, hash_file: Callable[[str], str]) -> Any:
    if not isinstance(file, dict) or "path" not in file:
        return file
    return dict(_iter_with_md5sum(file, hash_file))


def _iter_with_md5sum(file: Document, hash_file: Callable[[str], str]) -> Iterator[tuple[str, Any]]:
    for name, value in file.items():
        if name != "path":
            yield name, value
    if has_value(file, "path"):
        yield "md5sum", hash_file(str(file["path"]))
