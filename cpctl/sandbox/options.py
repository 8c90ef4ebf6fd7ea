"""The options of products: families, and a row per value that can be chosen.

Source: CloudCore API 1.0, "Product info" and its examples. Which prices they have is the sandbox's own invention.
"""

from decimal import Decimal
from typing import NamedTuple

TOTAL_PAGES = "total_pages"  # not an option of any product: it says how many pages a book has

# Family -> its name; an item takes one option of each.
FAMILIES: dict[str, str] = {
    "type_book_binding": "Book binding",
    "type_book_paper": "Book paper",
    "type_book_cover_finish": "Book cover finish",
    "type_canvas_paper": "Cover paper",
    "type_main_paper": "Main paper",
    "type_product_material": "Product material",
    "type_product_shape": "Product shape",
    "type_sheet_product_finish": "Sheet product finish",
    "type_packaging": "Packaging",
    "type_poster_paper": "Poster paper",
    "type_wall_decoration_frame": "Wall decoration frame",
    "type_puzzle_addon": "Puzzle addon",
    "type_calendar_pages": "Calendar pages",
}


class Option(NamedTuple):
    """One value of a family: what it costs beyond the plain product, and the file it needs, if any."""

    reference: str
    family: str
    note: str
    price: Decimal = Decimal()  # per copy, or per page for the paper of a book
    gsm: int = 0
    file: str = ""


def _option(reference: str, family: str, note: str, price: str = "0", gsm: int = 0, file: str = "") -> Option:
    return Option(reference, f"type_{family}", note, Decimal(price), gsm, file)


OPTIONS: dict[str, Option] = {
    row.reference: row
    for row in (
        _option("pageblock_80off", "book_paper", "Pageblock paper 80gsm Offset", "0", 80),
        _option("pageblock_90mcs", "book_paper", "Pageblock paper 90gsm Machine Coated Silk", "0.0010", 90),
        _option("pageblock_130mcs", "book_paper", "Pageblock paper 130gsm Machine Coated Silk", "0.0030", 130),
        _option("pageblock_130mcg", "book_paper", "Pageblock paper 130gsm Machine Coated Gloss", "0.0030", 130),
        _option("pageblock_150mcs", "book_paper", "Pageblock paper 150gsm Machine Coated Silk", "0.0045", 150),
        _option("pageblock_150mcg", "book_paper", "Pageblock paper 150gsm Machine Coated Gloss", "0.0045", 150),
        _option("paper_130mcg", "book_paper", "Paper 130gsm Machine Coated Gloss", "0.0030", 130),
        _option("gloss_pages_170g", "book_paper", "Pages 170gsm Gloss", "0.0060", 170),
        _option("cover_130mcg", "canvas_paper", "Cover paper 130gsm Machine Coated Gloss", "0", 130),
        _option("cover_200mcs", "canvas_paper", "Cover paper 200gsm Machine Coated Silk", "0.0800", 200),
        _option("cover_250mcs", "canvas_paper", "Cover paper 250gsm Machine Coated Silk", "0.1000", 250),
        _option("cover_250ecb", "canvas_paper", "Cover paper 250gsm Cardboard", "0.1200", 250),
        _option("cover_finish_gloss", "book_cover_finish", "Cover lamination Gloss finish"),
        _option("cover_finish_matte", "book_cover_finish", "Cover lamination Matte finish", "0.1500"),
        _option("gloss_laminate_cover", "book_cover_finish", "Cover laminated Gloss"),
        _option("binding_perfect", "book_binding", "Perfect binding PUR"),
        _option("binding_sewn", "book_binding", "Thread sewn binding", "1.9000"),
        _option("paper_90off", "product_material", "Paper 90gsm Offset", "0", 90),
        _option("paper_170mcg", "product_material", "Paper 170gsm Machine Coated Gloss", "0.0200", 170),
        _option("paper_250ecb", "product_material", "Paper 250gsm Cardboard", "0.0300", 250),
        _option("paper_300off", "product_material", "Paper 300gsm Offset", "0.0400", 300),
        _option("paper_350mcg", "product_material", "Paper 350gsm Machine Coated Gloss", "0.0500", 350),
        _option("paper_350ecb", "product_material", "Paper 350gsm Cardboard", "0.0550", 350),
        _option("cotton_150", "product_material", "Cotton 150gsm", "0", 150),
        _option("ceramic_white", "product_material", "Ceramic white"),
        _option("puzzle_cardboard", "product_material", "Puzzle cardboard 1.6 mm", "0", 1100),
        _option("product_finish_none", "sheet_product_finish", "No finish"),
        _option("product_finish_matte", "sheet_product_finish", "Matte lamination", "0.0600"),
        _option("product_finish_gloss", "sheet_product_finish", "Gloss lamination", "0.0600"),
        _option("right_angled_corners", "product_shape", "Right angled corners"),
        _option("rounded_corners", "product_shape", "Rounded corners", "0.0300"),
        _option("poster_190pps", "poster_paper", "Poster paper 190gsm Photo Satin", "0", 190),
        _option("poster_200art_matt", "poster_paper", "Poster paper 200gsm Art Matt", "1.1000", 200),
        _option("packaging_poster_rolled", "packaging", "Rolled in a tube"),
        _option("packaging_flat", "packaging", "Flat between boards", "1.5000"),
        _option("packaging_single", "packaging", "Wrapped one by one", "0.4000"),
        _option("packaging_bulk", "packaging", "Packed together"),
        _option("frame_none", "wall_decoration_frame", "No frame"),
        _option("frame_wood_black", "wall_decoration_frame", "Wooden frame black", "12.5000"),
        _option("calendar_13_pages", "calendar_pages", "13 pages"),
        _option("puzzle_box_plain", "puzzle_addon", "Plain box"),
        _option(
            "puzzle_box_printed_373x273x56_mm",
            "puzzle_addon",
            "Printed box 373 x 273 x 56 mm",
            "2.8000",
            0,
            "box",
        ),
    )
}
