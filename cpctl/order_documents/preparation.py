"""The document as it is sent: MD5 sums of local files computed, and the lists that the API requires added."""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.order_documents.problems import has_value
from cpctl.order_documents.reader import Document

CHUNK_BYTES = 1024 * 1024


def prepare_document(document: Document, hash_file: Callable[[str], str]) -> Document:
    """A copy to send, with `options` in every item and `md5sum` in place of every `path`.

    Each file is read once, however many items name it.
    """
    hash_once = cache(hash_file)
    sent = _prepare_files(document, hash_once)
    if isinstance(sent.get("items"), list):
        # Items of a CloudPublish order, which has an order_reference, have no options.
        complete = dict if "order_reference" in document else with_options
        sent["items"] = [
            _prepare_files(complete(item), hash_once) if isinstance(item, dict) else item for item in sent["items"]
        ]
    return sent


def with_options(item: Document) -> Document:
    """A copy of an item with `options`: the live API fails without a list there, even an empty one."""
    return {**item, "options": []} if item.get("options") is None else dict(item)


def compute_md5(path: str | Path, progress: Callable[[int, int], None]) -> str:
    """The MD5 sum of a file; `progress` gets the bytes done and the total. Raises InvalidInput."""
    md5 = hashlib.md5(usedforsecurity=False)
    done = 0
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while chunk := file.read(CHUNK_BYTES):
                md5.update(chunk)
                done += len(chunk)
                progress(done, max(size, done))
    except OSError as error:
        raise InvalidInput(
            f"Cannot read {path}: {error.strerror}.",
            "`path` must be a file on this computer, from which cpctl computes md5sum.",
        ) from error
    if not done:
        raise InvalidInput(f"{path} is empty: there is nothing to print.", "Check the `path` in the document.")
    return md5.hexdigest()


def _prepare_files(parent: Document, hash_file: Callable[[str], str]) -> Document:
    """A copy of an order or an item with its files prepared."""
    files = parent.get("files")
    return (
        {**parent, "files": [_prepare_file(file, hash_file) for file in files]}
        if isinstance(files, list)
        else dict(parent)
    )


def _prepare_file(file: Any, hash_file: Callable[[str], str]) -> Any:
    if not isinstance(file, dict) or "path" not in file:
        return file
    sent = {name: value for name, value in file.items() if name != "path"}
    return {**sent, "md5sum": hash_file(str(file["path"]))} if has_value(file, "path") else sent
