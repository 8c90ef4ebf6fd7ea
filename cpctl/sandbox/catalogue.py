"""The products of the sandbox: how things are made, and a row for every product that is made so.

Source: CloudCore API 1.0, "List all products" and "Product info" for the shapes and the names.
Prices are the sandbox's own: a real sandbox does not show real ones either.
"""

from decimal import Decimal
from typing import NamedTuple

from cpctl.sandbox.options import OPTIONS, Option


class Make(NamedTuple):
    """A way to make things. The first option of each family is the default."""

    category: str
    category_id: int
    plant: str  # what is made in different plants does not travel in one shipment
    technology: str
    files: tuple[str, ...]
    options: tuple[str, ...]
    per_page: Decimal = Decimal()
    colors: str = "Full color"
    sides: int = 2


def _make(
    category: str,
    category_id: int,
    technology: str,
    options: str,
    files: str = "product",
    per_page: str = "0",
    plant: str = "paper",
    colors: str = "Full color",
    sides: int = 2,
) -> Make:
    names, kinds = tuple(options.split()), tuple(files.split())
    return Make(category, category_id, plant, technology, kinds, names, Decimal(per_page), colors, sides)


_COVER = "cover_finish_gloss cover_finish_matte"
_BW = f"{_COVER} pageblock_80off pageblock_90mcs pageblock_130mcs cover_130mcg cover_250ecb"
_FC = f"{_COVER} pageblock_90mcs pageblock_80off pageblock_130mcs pageblock_130mcg cover_130mcg cover_250ecb"
_PHOTO = f"{_COVER} pageblock_150mcg pageblock_150mcs pageblock_130mcs cover_130mcg cover_200mcs"
_HARD = "gloss_laminate_cover cover_finish_matte gloss_pages_170g paper_130mcg pageblock_130mcs cover_130mcg"
_SHEET = "paper_170mcg paper_90off paper_300off paper_350mcg product_finish_none product_finish_matte"
_CARD = "paper_350mcg paper_300off paper_350ecb product_finish_none product_finish_gloss right_angled_corners"
_WALL = "poster_190pps poster_200art_matt frame_none frame_wood_black packaging_flat packaging_poster_rolled"

MAKES: dict[str, Make] = {
    "textbook_cw_bw": _make("Textbook BW", 11, "CW - Casewrap", _BW, "cover book", "0.0100", colors="Black/White"),
    "textbook_pb_bw": _make(
        "Textbook BW", 11, "PB - Perfect binding", _BW, "cover book", "0.0100", colors="Black/White"
    ),
    "textbook_cw_fc": _make("Textbook FC", 12, "CW - Casewrap", _FC, "cover book", "0.0320"),
    "textbook_pb_fc": _make("Textbook FC", 12, "PB - Perfect binding", _FC, "cover book", "0.0320"),
    "magazine_pb": _make("Magazine", 21, "PB - Perfect binding", _FC, "cover book", "0.0350"),
    "magazine_sas": _make("Magazine", 21, "SAS - Saddle stitched", _FC, "product", "0.0350"),
    "brochure_pb": _make("Folded brochure", 22, "PB - Perfect binding", _FC, "cover book", "0.0300"),
    "photobook": _make(
        "Photobook", 31, "CW - Casewrap", f"{_PHOTO} binding_perfect binding_sewn", "cover book", "0.1900"
    ),
    "hardcover": _make("Photobook", 31, "CW - Casewrap", _HARD, "cover book", "0.1700"),
    "flyer": _make("Flyer", 41, "Flat sheet", _SHEET),
    "letterhead": _make("Letterhead", 42, "Flat sheet", "paper_90off", sides=1),
    "envelope": _make("Envelope", 43, "Folded and glued", "paper_90off", sides=1),
    "card": _make("Card", 51, "Flat sheet", _CARD),
    "card_set": _make("Card set", 52, "Flat sheet", f"{_CARD} packaging_bulk packaging_single"),
    "businesscard": _make("Business card", 53, "Flat sheet", f"{_CARD} rounded_corners"),
    "poster": _make(
        "Poster", 61, "Flat sheet", "poster_190pps poster_200art_matt packaging_poster_rolled packaging_flat", sides=1
    ),
    "wall": _make("Wall decoration", 62, "Mounted", _WALL, plant="wall", sides=1),
    "photo": _make("Photo print", 63, "Flat sheet", "poster_190pps", sides=1),
    "calendar": _make("Calendar", 71, "Wire-O", "calendar_13_pages paper_170mcg paper_250ecb product_finish_none"),
    "puzzle": _make(
        "Promotional",
        81,
        "Die cut",
        "puzzle_cardboard puzzle_box_plain puzzle_box_printed_373x273x56_mm",
        plant="gift",
        sides=1,
    ),
    "mug": _make("Promotional", 81, "Sublimation", "ceramic_white packaging_single", plant="gift", sides=1),
    "shirt_women": _make("Women's Clothing", 91, "Direct to garment", "cotton_150", plant="textile"),
    "shirt_men": _make("Men's Clothing", 92, "Direct to garment", "cotton_150", plant="textile"),
    "deprecated": _make("z_1_DEPRECATED", 99, "Flat sheet", "paper_170mcg"),
}


class Product(NamedTuple):
    """One product: how it is made, its size in mm, and its price without pages and options."""

    reference: str
    name: str
    note: str
    make: Make
    width: int
    height: int
    base: Decimal
    availability: str = "Global"
    many: int = 0  # from so many copies on another plant takes over, which has a price for setting up
    setup: Decimal = Decimal()
    each: Decimal = Decimal()

    @property
    def has_pages(self) -> bool:
        """Whether it is a book: priced by the page, and never made without being told how many."""
        return bool(self.make.per_page)

    @property
    def orientation(self) -> str:
        """How it stands or lies."""
        sides = (self.height > self.width) - (self.height < self.width)
        return {1: "Portrait", -1: "Landscape", 0: "Square"}[sides]


# Reference | name | note | make | width | height | price
_ROWS = """
textbook_cw_a6_p_bw|Textbook CW A6 P BW|Textbook Casewrap (PUR, 3 mm board) A6 Portrait DIG BW 80OFF|textbook_cw_bw|105|148|3.33
textbook_cw_a5_p_bw|Textbook CW A5 P BW|Textbook Casewrap (PUR, 3 mm board) A5 Portrait DIG BW 80OFF|textbook_cw_bw|148|210|4.44
textbook_cw_a4_p_bw|Textbook CW A4 P BW TNR|Textbook Casewrap A4 Portrait Digital Toner BW|textbook_cw_bw|210|297|5.55
textbook_pb_a6_p_bw|Textbook PB A6 P BW|Textbook Perfect binding A6 Portrait DIG BW|textbook_pb_bw|105|148|0.4200
textbook_pb_a5_p_bw|Textbook PB A5 P BW|Textbook Perfect binding A5 Portrait DIG BW|textbook_pb_bw|148|210|0.5100
textbook_pb_a4_p_bw|Textbook PB A4 P BW|Textbook Perfect binding A4 Portrait DIG BW|textbook_pb_bw|210|297|0.5912
textbook_cw_a5_p_fc|Textbook CW A5 P FC|Textbook Casewrap A5 Portrait DIG FC|textbook_cw_fc|148|210|4.90
textbook_cw_a4_p_fc|Textbook CW A4 P FC|Textbook Casewrap A4 Portrait DIG FC|textbook_cw_fc|210|297|6.10
textbook_pb_a5_p_fc|Textbook PB A5 P FC|Textbook Perfect binding A5 Portrait DIG FC|textbook_pb_fc|148|210|0.7200
textbook_pb_a4_p_fc|Textbook PB A4 P FC|Textbook Perfect binding A4 Portrait DIG FC|textbook_pb_fc|210|297|0.8600
magazine_pb_a4_p_fc|Magazine PB A4 P FC|Magazine Perfect binding A4 Portrait DIG FC|magazine_pb|210|297|0.9100
magazine_pb_a5_p_fc|Magazine PB A5 P FC|Magazine Perfect binding A5 Portrait DIG FC|magazine_pb|148|210|0.7800
magazine_sas_a4_p_fc|Magazine SAS A4 P FC|Magazine Saddle stitched A4 Portrait DIG FC|magazine_sas|210|297|0.6600
magazine_sas_a5_p_fc|Magazine SAS A5 P FC|Magazine Saddle stitched A5 Portrait DIG FC|magazine_sas|148|210|0.5400
brochure_pb_a5_p_fc|Brochure PB A5 P FC|Brochure Perfect binding A5 Portrait DIG FC|brochure_pb|148|210|0.7000
photobook_cw_s210_s_fc|Photobook CW S210 S FC|Photobook Casewrap 210 x 210 Square DIG FC|photobook|210|210|8.2000
photobook_cw_a4_l_fc|Photobook CW A4 L FC|Photobook Casewrap A4 Landscape DIG FC|photobook|297|210|9.9000
photobook_cw_a5_p_fc|Photobook CW A5 P FC|Photobook Casewrap A5 Portrait DIG FC|photobook|148|210|7.4000
book_hardcover_21x21|Book Hardcover 21x21|Book Hardcover 21 x 21 cm|hardcover|210|210|7.9000
book_hardcover_21x30|Book Hardcover 21x30|Book Hardcover 21 x 30 cm|hardcover|210|300|8.7000
flyer_ss_a4_fc|Flyer SS A4 FC|Flyer Single sheet A4 DIG FC|flyer|210|297|0.2900
flyer_ss_a5_fc|Flyer SS A5 FC|Flyer Single sheet A5 DIG FC|flyer|148|210|0.1600
flyer_ss_a6_fc|Flyer SS A6 FC|Flyer Single sheet A6 DIG FC|flyer|105|148|0.1100
letterheading_ss_a4_2_0|Letterheading SS A4 2/0|Letterheading Single sheet A4 2/0|letterhead|210|297|0.0900
envelope_dl_fc|Envelope DL FC|Envelope DL without window FC|envelope|220|110|0.1300
card_ss_a6_fc|Card SS A6 FC|Card Single sheet A6 DIG FC|card|105|148|0.3800
card_ss_a5_fc|Card SS A5 FC|Card Single sheet A5 DIG FC|card|148|210|0.5200
card_set_10_a6_fc|Card set 10 A6 FC|Card set of 10 A6 DIG FC|card_set|105|148|3.2000
businesscard_ss_int_bc_fc|Businesscard SS INT BC FC|Businesscard Single sheet 85 x 55 DIG FC|businesscard|85|55|0.0700
poster_a3_fc|Poster A3 FC|Poster A3 Inkjet FC|poster|297|420|4.1000
poster_a2_fc|Poster A2 FC|Poster A2 Inkjet FC|poster|420|594|6.8000
poster_a1_fc|Poster A1 FC|Poster A1 Inkjet FC|poster|594|841|10.9000
poster_s500_fc|Poster S500 FC|Poster 500 x 500 Inkjet FC|poster|500|500|7.5000
canvas_300x400_fc|Canvas 300x400 FC|Wall decoration 300 x 400 FC|wall|300|400|14.2000
canvas_600x400_fc|Canvas 600x400 FC|Wall decoration 600 x 400 FC|wall|600|400|21.9000
photo_print_10x15_fc|Photo print 10x15 FC|Photo print 100 x 150 FC|photo|100|150|0.1900
calendar_wall_int_a5_l_double_fc_tnr|Calendar Wall A5 L Double FC|Calendar Wall A5 Landscape Double FC Toner|calendar|210|148|5.6000
calendar_wall_int_a4_p_fc_tnr|Calendar Wall A4 P FC|Calendar Wall A4 Portrait FC Toner|calendar|210|297|6.9000
puzzle_30x40_1000pcs|Puzzle 30x40 1000 pcs|Puzzle 300 x 400 mm 1000 pieces|puzzle|300|400|11.5000
puzzle_20x30_120pcs|Puzzle 20x30 120 pcs|Puzzle 200 x 300 mm 120 pieces|puzzle|200|300|7.1000
mug_330ml_white_fc|Mug 330 ml white FC|Mug ceramic white 330 ml FC|mug|95|82|4.9500
tshirt_women_m_white_fc|T-shirt women M white FC|T-shirt women size M white FC|shirt_women|520|680|8.8000
tshirt_men_l_white_fc|T-shirt men L white FC|T-shirt men size L white FC|shirt_men|560|740|8.8000
flyer_a5_fc_old|Flyer A5 FC (deprecated)|Flyer A5, replaced by flyer_ss_a5_fc|deprecated|148|210|0.1800
"""  # noqa: E501
# From so many copies on, what setting up costs, and each copy: 500 flyers are cheaper than 250.
_MANY = {
    "flyer_ss_a4_fc": (500, "26.0000", "0.0400"),
    "flyer_ss_a5_fc": (500, "18.0000", "0.0200"),
    "flyer_ss_a6_fc": (500, "14.0000", "0.0130"),
}
_REGIONAL = ("letterheading_ss_a4_2_0", "envelope_dl_fc", "mug_330ml_white_fc")


def _product(line: str) -> Product:
    reference, name, note, make, width, height, base = line.split("|")
    many, setup, each = _MANY.get(reference, (0, "0", "0"))
    return Product(
        reference,
        name,
        note,
        MAKES[make],
        int(width),
        int(height),
        Decimal(base),
        "Regional" if reference in _REGIONAL else "Global",
        many,
        Decimal(setup),
        Decimal(each),
    )


PRODUCTS: dict[str, Product] = {row.reference: row for row in map(_product, _ROWS.split("\n")[1:-1])}


def options_of(product: Product) -> list[tuple[Option, bool]]:
    """The options of a product, and which of them hold where nothing is said: the first of each family."""
    rows = [OPTIONS[name] for name in product.make.options]
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row.family, row.reference)
    return [(row, first[row.family] == row.reference) for row in rows]


def files_of(product: Product, chosen: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The types of file an item needs: those of its product, and those of its options."""
    added = (OPTIONS[name].file for name in chosen if name in OPTIONS)
    return (*product.make.files, *(name for name in added if name))
