"""The data of CloudPublish: catalogs with their titles, and product mixes.

Source: the examples of CloudPublish API 1.0; a sandbox starts with their catalogs, titles and mixes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from typing import NamedTuple

_CREATED_AT = datetime(2018, 10, 10, 6, 58, 10, tzinfo=UTC)


class PublishFile(NamedTuple):
    url: str
    size: int
    md5sum: str
    type: str


class ProductMix(NamedTuple):
    reference: str
    name: str
    note: str
    product_reference: str
    option_references: tuple[str, ...]


@dataclass
class Catalog:
    reference: str
    name: str
    note: str
    created_at: datetime


@dataclass
class Title:
    """A book that can be ordered by its ISBN."""

    isbn: str
    name: str
    created_at: datetime
    catalog_reference: str
    mix_reference: str
    page_count: int = 0
    used_count: int = 0
    files: list[PublishFile] = field(default_factory=list)


PRODUCT_MIXES: dict[str, ProductMix] = {
    mix.reference: mix
    for mix in (
        ProductMix(
            "product_mix_test",
            "Mix test",
            "A product and some options",
            "textbook_pb_a5_p_bw",
            ("cover_finish_gloss", "pageblock_80off"),
        ),
        ProductMix(
            "textbook_a4_cw_matte_80gsm",
            "Textbook A4 Casewrap - Basic",
            "Textbook, A4, Casewrap, Matte cover finish, 80gsm offset, 130gsm gloss cover",
            "textbook_cw_a4_p_bw",
            ("cover_finish_matte", "pageblock_80off", "cover_130mcg"),
        ),
        ProductMix(
            "photobook_s210_gloss",
            "Photobook 21 x 21 Gloss",
            "Photobook, 210 x 210, Casewrap, Gloss cover finish, 150gsm gloss",
            "photobook_cw_s210_s_fc",
            ("cover_finish_gloss", "pageblock_150mcg"),
        ),
    )
}
_SEED_CATALOGS = (
    ("catalog_1", "First catalog", "The first catalog for all my titles"),
    ("catalog_2", "Second catalog", "The second catalog for all my titles"),
)
# ISBN, name, catalog, mix, pages, used_count
_SEED_TITLES = (
    ("1234567890123", "The book - Vol 1", "catalog_1", "product_mix_test", 244, 142),
    ("1234567890124", "The book - Vol 2", "catalog_1", "product_mix_test", 198, 17),
    ("9780306406157", "Shop of prints", "catalog_2", "textbook_a4_cw_matte_80gsm", 96, 3),
    ("9783161484100", "Album of a summer", "catalog_2", "photobook_s210_gloss", 48, 0),
)


class PublishStore:
    """All catalogs and titles. The caller holds the lock of the state."""

    def __init__(self) -> None:
        self.catalogs = {row[0]: Catalog(*row, _CREATED_AT) for row in _SEED_CATALOGS}
        self.titles = {row[0]: _build_title(*row) for row in _SEED_TITLES}

    def list_titles(self, catalog: str) -> list[Title]:
        return [title for title in self.titles.values() if title.catalog_reference == catalog]

    def remove_catalog(self, reference: str) -> None:
        """Remove a catalog; "Title available in the catalog will no longer be available"."""
        del self.catalogs[reference]
        for title in self.list_titles(reference):
            del self.titles[title.isbn]


def _build_title(isbn: str, name: str, catalog: str, mix: str, page_count: int, used_count: int) -> Title:
    files = [_build_file(isbn, "book"), _build_file(isbn, "cover")]
    return Title(isbn, name, _CREATED_AT, catalog, mix, page_count, used_count, files=files)


def _build_file(isbn: str, file_type: str) -> PublishFile:
    folder = md5(isbn.encode(), usedforsecurity=False).hexdigest()
    md5sum = md5(f"{isbn}/{file_type}".encode(), usedforsecurity=False).hexdigest()
    url = f"https://download.example.com/{folder}/{file_type}"
    return PublishFile(url, 1_000_000 + int(md5sum[:6], 16), md5sum, file_type)
