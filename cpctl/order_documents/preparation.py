"""The document as it is sent: the sums of files at hand computed, and the lists the API insists on."""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.order_documents.problems import filled
from cpctl.order_documents.reader import Document

PIECE = 1024 * 1024


def prepared(document: Document, md5_of: Callable[[str], str]) -> Document:
    """The document to send: `options` of every item, `md5sum` in place of every `path`; all else as it was.

    Each file is read once, however many items name it. The document itself is left alone.
    """
    sum_of = cache(md5_of)
    sent = dict(document)
    if isinstance(sent.get("files"), list):
        sent["files"] = [_file(each, sum_of) for each in sent["files"]]
    if isinstance(sent.get("items"), list):
        # Titles of CloudPublish have no options; its orders are known by their order_reference.
        titles = "order_reference" in document
        sent["items"] = [_item(each, sum_of, titles) for each in sent["items"]]
    return sent


def md5_of_file(path: str | Path, progress: Callable[[int, int], None]) -> str:
    """The MD5 sum of a file of any size; `progress` hears of bytes done and of all. Raises InvalidInput."""
    summed = hashlib.md5(usedforsecurity=False)
    done = 0
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while piece := file.read(PIECE):
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


def _item(item: Any, sum_of: Callable[[str], str], title: bool) -> Any:
    if not isinstance(item, dict):
        return item
    sent = dict(item)
    if isinstance(sent.get("files"), list):
        sent["files"] = [_file(each, sum_of) for each in sent["files"]]
    # The live API fails without a list here, even an empty one.
    if not title and sent.get("options") is None:
        sent["options"] = []
    return sent


def _file(file: Any, sum_of: Callable[[str], str]) -> Any:
    if not isinstance(file, dict) or "path" not in file:
        return file
    return dict(_with_sum(file, sum_of))


def _with_sum(file: Document, sum_of: Callable[[str], str]) -> Iterator[tuple[str, Any]]:
    for name, value in file.items():
        if name != "path":
            yield name, value
    if filled(file, "path"):
        yield "md5sum", sum_of(str(file["path"]))
