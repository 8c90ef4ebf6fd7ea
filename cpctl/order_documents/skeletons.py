"""Documents to start from: every field, with what it means."""

_ADDRESS_YAML = """\
addresses:
  - type: delivery
    # company: Example Ltd
    firstname: Ada                    # both names are needed
    lastname: Lovelace
    street1: Example street 12
    # street2: 3rd floor
    zip: 01234                        # not asked for in countries that have none
    city: Dresden
    # state: CA                       # needed for US and CA
    country: DE                       # ISO 3166-1: two letters; GB, not UK
    email: reader@example.com         # asked in case of problems with the delivery
    phone: "+49 351 1234567"          # needed, in any form
    # customer_identification: 529.982.247-25   # the CPF, needed in Brazil
"""

_REORDER_YAML = """\
    # For a reorder, the item it replaces; all items of one original order:
    # reorder_cause: reorder_shipping_item_damaged
    # reorder_desc: The cover is torn.
    # reorder_order_reference: order-0001
    # reorder_item_reference: order-0001-1
"""

_CORE_ORDER_YAML = f"""\
# An order for Cloudprinter (CloudCore 1.0, orders/add).
# Lines that begin with # are left out. The key comes from the profile.

reference: order-0001                 # your own, unique among all your orders; no blank, no slash
email: support@example.com            # your support, for questions about production

{_ADDRESS_YAML}
items:
  - reference: order-0001-1           # your own, unique within the order
    product: textbook_pb_a4_p_bw      # `cpctl products list`
    # product_reference:              # a synonym of product
    count: 1                          # copies
    title: The Analytical Engine
    # type: stock                     # taken from stock: needs no files

    # One of these three; the first that is given counts:
    # quote: …                        # the hash of an offer, `cpctl quote get`
    shipping_level: cp_ground         # `cpctl shipping levels`
    # shipping_option:                # as an offer names it

    files:                            # which ones: `cpctl products info PRODUCT`
      - type: cover                   # product, cover, book or box
        url: https://files.example.com/order-0001-1/cover.pdf   # must stay valid for days
        md5sum: 4578c3ecf64e47581b175d542f8b0160
        # path: cover.pdf             # in place of md5sum: cpctl computes it
      - type: book
        url: https://files.example.com/order-0001-1/book.pdf
        md5sum: 1ef89e74e628e223ae94aa4586330833

    options:                          # what `cpctl products info` shows as reference, not as type
      - type: total_pages             # needed for books
        count: 120
      - type: pageblock_80off
        count: 120
      # - option_reference:           # a synonym of type
      #   count: 1

    # For the customs; with a comma:
    # price: "12,50"
    # currency: EUR
    # hc: "4901.99"

{_REORDER_YAML}
# files:                              # of the whole order
#   - type: delivery_note             # or promotion
#     url: https://files.example.com/order-0001/note.pdf
#     md5sum: 28fa76ff5a9e0566eaa1e11f1ce51f09

# price, currency and hc can stand here as well; meta is by agreement with Cloudprinter.
# meta: {{}}
"""

_PUBLISH_ORDER_YAML = f"""\
# An order of titles (CloudPublish 1.0, orders/add).
# Lines that begin with # are left out. The key comes from the profile.

order_reference: order-0001           # your own, unique among all your orders; no blank, no slash
email: support@example.com            # your support, for questions about production

{_ADDRESS_YAML}
items:
  - item_reference: order-0001-1      # your own, unique within the order
    catalog_reference: catalog_1      # `cpctl catalogs list`
    isbn: 0123456789012               # `cpctl titles list CATALOG`
    quantity: 1
    shipping_level: cp_saver          # `cpctl shipping levels`

    # For the customs; with a comma:
    # customs_price: "12,50"
    # customs_currency: EUR
    # customs_hc: "4901.99"

{_REORDER_YAML}
# Of an order the documents write these with an e:
# custome_price: "12,50"
# custome_currency: EUR
# custome_hc: "4901.99"

# By agreement with Cloudprinter:
# meta: {{}}
"""


def core_skeleton() -> str:
    """A CloudCore order in YAML that passes its own checks."""
    return _CORE_ORDER_YAML


def publish_skeleton() -> str:
    """A CloudPublish order in YAML that passes its own checks."""
    return _PUBLISH_ORDER_YAML
