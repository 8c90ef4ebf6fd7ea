"""Every example of the CloudCore and CloudPublish documents: the request without its key, and the response.

Examples that are not valid JSON (a comment in a price list, missing or extra commas and brackets) are corrected here.
"""

import json
from typing import Any, NamedTuple

from examples.core_requests import CORE_PATH, FILES, ORDER, PUBLISH_ADDRESS, PUBLISH_ORDER, PUBLISH_PATH, QUOTE

Json = Any


class Example(NamedTuple):
    """One example: the arguments of cpctl that make the call, its path, its request and its response.

    `document` is written to `order.json` first; `result_key` selects the part of the response that is the result.
    """

    arguments: tuple[str, ...]
    path: str
    request: dict[str, Json]
    response: Json
    status: int = 200
    result_key: str = ""
    document: dict[str, Json] | None = None

    @property
    def result(self) -> Json:
        """The result of the command as JSON."""
        return self.response[self.result_key] if self.result_key else self.response


ORDER_INFO: dict[str, Json] = {
    "reference": "123456",
    "state": "45",
    "state_code": "order_state_uploaded",
    "order_date": "2017-02-01 11:22:33",
    "email": "customer1@example.com",
    "addresses": [
        {
            "type": "delivery",
            "firstname": "John",
            "lastname": "Doe",
            "street1": "Example street",
            "zip": "1234",
            "city": "Example city",
            "state": "Example state",
            "country": "NL",
        }
    ],
    "items": [
        {
            "reference": "123561",
            "name": "book_hardcover_21x21",
            "count": "1",
            "shipping_option": "DHL - National Standard (DE)",
            "tracking": "FEDEX",
            "options": [
                {"type": "total_pages", "count": "24"},
                {"type": "gloss_pages_170g", "count": "24"},
                {"type": "gloss_laminate_cover", "count": "1"},
            ],
            "files": FILES,
        }
    ],
}


def _quote_offer(quote: str, service: str, level: str, option: str, price: str) -> Json:
    names = {"quote": quote, "service": service, "shipping_level": level, "shipping_option": option, "price": price}
    return {**names, "vat": "0.0000", "currency": "EUR"}


POSTAL_QUOTE, GROUND_QUOTE, EXPRESS_QUOTE = (
    "a1e771f2e375bc33b5385fcc8091a328481bc45f3bff13de96ba0e7585ff936f",
    "90aa928c65b6115e2fd76f5c3238381e42630fbe6cd137422db469fb070b5f7f",
    "c6159e6c0a1b3e2d4ad7be940a327fb139351149e9f7ad7a1295a534cc37a4c3",
)
QUOTE_RESPONSE: dict[str, Json] = {
    "price": "4.5412",
    "vat": "0.00",
    "currency": "EUR",
    "expire_date": "2021-04-18T15:32:58+00:00",
    "subtotals": {"items": "1.7912", "fee": "2.7500", "app_fee": "0.0000"},
    "shipments": [
        {
            "total_weight": "712",
            "items": [{"reference": "ref_id_1234567"}],
            "quotes": [
                _quote_offer(
                    POSTAL_QUOTE, "Postal - Untracked", "cp_postal", "National Post - Int. Postal Untracked", "4.2000"
                ),
                _quote_offer(
                    GROUND_QUOTE,
                    "Express ground - Tracked",
                    "cp_ground",
                    "National Post - Int. Postal Tracked",
                    "6.2300",
                ),
                _quote_offer(
                    EXPRESS_QUOTE, "Express fast - Tracked", "cp_fast", "DHL - International Express", "14.5000"
                ),
            ],
        }
    ],
    "invoice_currency": "EUR",
    "invoice_exchange_rate": "1.0000",
}
_BLANK_PRICE_FIELDS = dict.fromkeys(("note", "reference", "currency", "price_unit", "price_unit_type", "type"), "-")
PRODUCT: dict[str, Json] = {
    "name": "Textbook CW A6 P BW",
    "note": "Textbook Casewrap A6 Portrait Digital Toner BW",
    "reference": "textbook_cw_a6_p_bw",
    "prices": [{"price": "-", "min": "100", "max": "9000", **_BLANK_PRICE_FIELDS} for _ in range(3)],
    "options": [
        {"reference": reference, "note": note, "type": family, "default": default}
        for reference, note, family, default in (
            ("cover_finish_matte", "Cover lamination Matte finish", "type_book_cover_finish", 0),
            ("cover_finish_gloss", "Cover lamination Gloss finish", "type_book_cover_finish", 1),
            ("pageblock_80off", "Pageblock paper 80gsm Offset", "type_book_paper", 1),
            ("pageblock_130mcs", "Pageblock paper 130gsm Machine Coated Silk", "type_book_paper", 0),
            ("cover_130mcg", "Cover paper 130gsm Machine Coated Gloss", "type_canvas_paper", 1),
        )
    ],
    "specs": [
        {"note": note, "value": value}
        for note, value in (
            ("Binding method / technology", "CW - Casewrap"),
            ("Bleed in mm", "3"),
            ("Cover overlap in mm", "3"),
            ("Cover squeeze in mm", "5"),
            ("Cover wrap in mm", "18"),
            ("Is the product orientation dependent", "Yes"),
            ("Minimum order quantity", "1"),
            ("Number of printable sides", "2"),
            ("Orientation of the product", "Portrait"),
            ("Per set order quantity", "1"),
            ("Size category", "A6P"),
            ("The exact height of the book in mm. after trimming", "148"),
            ("The exact width of the book in mm. after trimming", "105"),
            ("The page safety margin in mm", "10"),
            ("Colors on the back of the page", "Black/White"),
            ("Colors on the front of the page", "Black/White"),
            ("Print technology", "Digital Toner"),
        )
    ],
}
_FIRST_CATALOG = {
    "catalog_reference": "catalog_1",
    "name": "First catalog",
    "note": "The first catalog for all my titles",
}
_SECOND_CATALOG = {
    "catalog_reference": "catalog_2",
    "name": "Second catalog",
    "note": "The second catalog for all my titles",
}


def _timestamps(second: str = "06:58:10") -> dict[str, str]:
    return dict.fromkeys(("create_date", "modify_date"), f"2018-10-10T{second}+00:00")


def _title(number: int) -> Json:
    names = {"isbn": f"123456789012{number + 2}", "title": f"The book - Vol {number}", "version": 1}
    return {**names, **_timestamps(), "catalog_reference": "catalog_1", "catalog_name": "First catalog"}


def _title_file(kind: str, size: int, md5sum: str) -> Json:
    url = f"https://download.clp/2036b1bc48663b7837ce49bccd689f82/{kind}"
    return {"url": url, "size": size, "md5sum": md5sum, "type": kind, "format": "pdf"}


_TITLE_INFO: dict[str, Json] = {
    "isbn": "1234567890123",
    "title": "The book - Vol 1",
    "version": 1,
    "pages": 244,
    "used_count": 142,
    **_timestamps(),
    "product_mix_reference": "product_mix_test",
    "catalog_reference": "catalog_2",
    "catalog_name": "First catalog",
    "files": [
        _title_file("book", 10452964, "12859c11fef78416133bde3980fd7367"),
        _title_file("cover", 1734882, "0d86d2917eede2343a08306db63b17d0"),
    ],
}
_PRODUCT_MIX: dict[str, Json] = {
    "product_mix_reference": "textbook_a4_cw_matte_80gsm",
    "name": "Textbook A4 Casewrap - Basic",
    "note": "Textbook, A4, Casewrap, Matte cover finish, 80gsm offset, 130gsm gloss cover",
    "product": {"name": "Textbook CW A4 P BW TNR", "note": "Textbook Casewrap A4 Portrait Digital Toner BW"},
    "options": [
        {"name": "Cover finish Matte", "note": "Cover lamination Matte finish"},
        {"name": "Pageblock 80OFF", "note": "Pageblock paper 80gsm Offset"},
        {"name": "Pageblock 130MCS", "note": "Cover paper 130gsm Machine Coated Gloss"},
    ],
}
_PUBLISH_ORDER_INFO: dict[str, Json] = {
    "order_reference": "200012345",
    "state_code": "order_state_new",
    "order_date": "2018-10-10T10:00:00+00:00",
    "email": "test@cloudprinter.com",
    "addresses": [PUBLISH_ADDRESS],
    "items": [
        {
            "item_reference": "MW_ORDER_1_1",
            "catalog_reference": "catalog_2",
            "isbn": "1234567890123",
            "quantity": 1,
            "tracking": "",
        }
    ],
}


def change_counter(resource: str, change: str, count: int = 1) -> dict[str, Json]:
    """The response of CloudPublish to a change."""
    return {"status": {resource: {change: count}}}


def _arguments(line: str, *further: str) -> tuple[str, ...]:
    return (*line.split(), *further)


EXAMPLES: dict[str, Example] = {
    # CloudCore 1.0
    "orders": Example(
        _arguments("orders list"),
        f"{CORE_PATH}orders/",
        {},
        [
            {
                "reference": reference,
                "order_date": "2015-08-05 10:00:00",
                "state": "1",
                "state_code": "order_state_new",
            }
            for reference in ("12346", "12348")
        ],
    ),
    "orders/info": Example(
        _arguments("orders info 12346"), f"{CORE_PATH}orders/info", {"reference": "12346"}, ORDER_INFO
    ),
    "orders/add": Example(
        _arguments("orders add order.json"), f"{CORE_PATH}orders/add", ORDER, {"order": "12346"}, 201, document=ORDER
    ),
    "orders/cancel": Example(
        _arguments("orders cancel 12346 --yes"),
        f"{CORE_PATH}orders/cancel",
        {"reference": "12346"},
        # The document shows no body; this is the shape of live responses.
        {"reference": "12346", "state": 500, "state_code": "order_state_canceled", "status": 500},
    ),
    "orders/log": Example(
        _arguments("orders log 12346"),
        f"{CORE_PATH}orders/log",
        {"reference": "12346"},
        [
            {"reference": "12346", "create_date": "2016-04-12 12:37:01", "state": "5"},
            {"reference": "12346", "create_date": "2016-04-12 12:37:02", "state": "6"},
        ],
    ),
    "orders/quote": Example(
        _arguments("quote get order.json"), f"{CORE_PATH}orders/quote", QUOTE, QUOTE_RESPONSE, document=QUOTE
    ),
    "prices/lookup": Example(
        _arguments("quote price order.json"), f"{CORE_PATH}prices/lookup", QUOTE, QUOTE_RESPONSE, document=QUOTE
    ),
    "orders/quote/info": Example(
        _arguments(f"quote info {POSTAL_QUOTE}"),
        f"{CORE_PATH}orders/quote/info",
        {"quote": POSTAL_QUOTE},
        {"quote": POSTAL_QUOTE, "shipping_level": "cp_postal"},
    ),
    "products": Example(
        _arguments("products list"),
        f"{CORE_PATH}products",
        {},
        [
            {
                "name": f"Textbook CW {size} P BW",
                "note": f"Textbook Casewrap (PUR, 3 mm board) {size} Portrait DIG BW 80OFF",
                "reference": f"textbook_cw_{size.lower()}_p_bw",
                "category": "Textbook BW",
                "from_price": price,
                "currency": "EUR",
            }
            for size, price in (("A6", "3.33"), ("A5", "4.44"))
        ],
    ),
    "products/info": Example(
        _arguments("products info textbook_cw_a6_p_bw"),
        f"{CORE_PATH}products/info",
        {"reference": "textbook_cw_a6_p_bw"},
        PRODUCT,
    ),
    "shipping/levels": Example(
        _arguments("shipping levels"),
        f"{CORE_PATH}shipping/levels",
        {},
        [
            {
                "shipping_level_reference": "cp_saver",
                "shipping_level": "cp_saver",
                "name": "Express saver - Tracked",
                "note": "Saver express  - Fast saver tracked delivery - Cloudprinter shared",
            },
            {
                "shipping_level_reference": "cp_ground",
                "shipping_level": "cp_ground",
                "name": "Express ground - Tracked",
                "note": "Ground express - Fast ground delivery - Cloudprinter shared",
            },
        ],
    ),
    "shipping/countries": Example(
        _arguments("shipping countries"),
        f"{CORE_PATH}shipping/countries",
        {},
        [
            {"country_reference": "AE", "note": "United Arab Emirates", "require_state": 1},
            {"country_reference": "AF", "note": "Afghanistan", "require_state": 0},
        ],
    ),
    "shipping/states": Example(
        _arguments("shipping states AE"),
        f"{CORE_PATH}shipping/states",
        {"country_reference": "AE"},
        [
            {"state_reference": "AJ", "name": "Ajman", "note": "Ajman"},
            {"state_reference": "AZ", "name": "Abu Dhabi", "note": "Abu Dhabi"},
        ],
    ),
    # CloudPublish 1.0
    "catalogs": Example(
        _arguments("catalogs list"),
        f"{PUBLISH_PATH}catalogs",
        {},
        {"catalogs": [{**_FIRST_CATALOG, **_timestamps()}, {**_SECOND_CATALOG, **_timestamps("06:59:02")}]},
        result_key="catalogs",
    ),
    "catalogs/info": Example(
        _arguments("catalogs info catalog_1"),
        f"{PUBLISH_PATH}catalogs/info",
        {"catalog_reference": "catalog_1"},
        {**_FIRST_CATALOG, **_timestamps(), "titles": 2},
    ),
    "catalogs/add": Example(
        _arguments("catalogs add catalog_1 --name", _FIRST_CATALOG["name"], "--note", _FIRST_CATALOG["note"]),
        f"{PUBLISH_PATH}catalogs/add",
        _FIRST_CATALOG,
        change_counter("catalogs", "added"),
    ),
    "catalogs/remove": Example(
        _arguments("catalogs remove catalog_1 --yes"),
        f"{PUBLISH_PATH}catalogs/remove",
        {"catalog_reference": "catalog_1"},
        change_counter("catalogs", "removed"),
    ),
    "titles": Example(
        _arguments("titles list catalog_1"),
        f"{PUBLISH_PATH}titles",
        {"catalog_reference": "catalog_1"},
        {"titles": [_title(1), _title(2)]},
        result_key="titles",
    ),
    "titles/info": Example(
        _arguments("titles info 1234567890123"), f"{PUBLISH_PATH}titles/info", {"isbn": "1234567890123"}, _TITLE_INFO
    ),
    "titles/add": Example(
        _arguments("titles add title_1 --name", "First title", "--note", "The first title for all my titles"),
        f"{PUBLISH_PATH}titles/add",
        {"isbn": "title_1", "name": "First title", "note": "The first title for all my titles"},
        change_counter("titles", "added"),
    ),
    "titles/remove": Example(
        _arguments("titles remove title_1 --yes"),
        f"{PUBLISH_PATH}titles/remove",
        {"isbn": "title_1"},
        change_counter("titles", "removed"),
    ),
    "products/mixes": Example(
        _arguments("products mixes"),
        f"{PUBLISH_PATH}products/mixes",
        {},
        {
            "mixes": [
                {"product_mix_reference": "product_mix_test", "name": "Mix test", "note": "A product and some options"}
            ]
        },
        result_key="mixes",
    ),
    "products/mixes/info": Example(
        _arguments("products mix textbook_a4_cw_matte_80gsm"),
        f"{PUBLISH_PATH}products/mixes/info",
        {"product_mix_reference": "textbook_a4_cw_matte_80gsm"},
        _PRODUCT_MIX,
    ),
    "publish/orders": Example(
        _arguments("orders list --api publish"),
        f"{PUBLISH_PATH}orders",
        {},
        {
            "orders": [
                {
                    "order_reference": f"20001234{n}",
                    "order_date": f"2018-10-1{n - 5}T10:00:00+00:00",
                    "state_code": "order_state_new",
                }
                for n in (5, 6)
            ]
        },
        result_key="orders",
    ),
    "publish/orders/info": Example(
        _arguments("orders info 200012345 --api publish"),
        f"{CORE_PATH}orders/info",
        {"reference": "200012345"},
        _PUBLISH_ORDER_INFO,
    ),
    "publish/orders/add": Example(
        _arguments("orders add order.json --api publish"),
        f"{CORE_PATH}orders/add",
        PUBLISH_ORDER,
        {"order": "12346"},
        201,
        document=PUBLISH_ORDER,
    ),
    "publish/orders/cancel": Example(
        _arguments("orders cancel 200012345 --yes --api publish"),
        f"{CORE_PATH}orders/cancel",
        {"order_reference": "200012345"},
        change_counter("orders", "cancelled"),
    ),
    "publish/orders/log": Example(
        _arguments("orders log 12346 --api publish"),
        f"{CORE_PATH}orders/log",
        {"order_reference": "12346"},
        {
            "logs": [
                {
                    "order_reference": "200012345",
                    "create_date": "2018-10-10T06:58:10+00:00",
                    "state_code": "order_state_verify",
                },
                {
                    "order_reference": "200012345",
                    "create_date": "2018-10-10T06:58:15+00:00",
                    "state_code": "order_state_verified",
                },
            ]
        },
        result_key="logs",
    ),
}
# CloudPublish 1.0, "Handling errors".
MISSING_PARAMETER_BODY = {"status": {"errors": {"missing_required_parameter": "catalog_reference"}}}
MISSPELLED_COUNTER_BODY = change_counter("catalogs", "radded", 0)


def with_unknown_fields(value: Json) -> Json:
    """The same response with an unknown field in every object."""
    if isinstance(value, dict):
        return {
            **{name: with_unknown_fields(inner) for name, inner in value.items()},
            "x_new": {"deep": [1, None, True, "ü"]},
        }
    return [with_unknown_fields(inner) for inner in value] if isinstance(value, list) else value


def encode_body(value: Json) -> bytes:
    """A value as the service encodes it."""
    return b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
