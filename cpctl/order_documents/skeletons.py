"""Skeleton orders in YAML: every field with its meaning. Both pass their own checks."""

_ADDRESS_YAML = """\
addresses:
  - type: delivery
    # company: Example Ltd
    firstname: Ada                    # required, like lastname
    lastname: Lovelace
    street1: Example street 12
    # street2: 3rd floor
    zip: 01234                        # required except in countries that have none
    city: Dresden
    # state: CA                       # required for US and CA
    country: DE                       # two letters, ISO 3166-1; GB, not UK
    email: reader@example.com         # the carrier may ask the recipient
    phone: "+49 351 1234567"          # required, in any form
    # customer_identification: 529.982.247-25   # the CPF, required in Brazil
"""

_REORDER_YAML = """\
    # For a reorder, the item that it replaces. All items must come from one original order:
    # reorder_cause: reorder_shipping_item_damaged
    # reorder_desc: The cover is torn.
    # reorder_order_reference: order-0001
    # reorder_item_reference: order-0001-1
"""

CORE_SKELETON = f"""\
# An order for Cloudprinter (CloudCore 1.0, orders/add).
# Lines that begin with # are ignored. The key comes from the profile.

reference: order-0001                 # your own, unique among all your orders; no space, no slash
email: support@example.com            # your own, for questions about production

{_ADDRESS_YAML}
items:
  - reference: order-0001-1           # your own, unique within the order
    product: textbook_pb_a4_p_bw      # `cpctl products list`
    # product_reference:              # a synonym of product
    count: 1                          # copies
    title: The Analytical Engine
    # type: stock                     # taken from stock: no files required

    # Give one of these three. If several are given, the first one is used:
    # quote: …                        # the hash of an offer, `cpctl quote get`
    shipping_level: cp_ground         # `cpctl shipping levels`
    # shipping_option:                # the name in an offer

    files:                            # `cpctl products info PRODUCT` lists the types
      - type: cover                   # product, cover, book or box
        url: https://files.example.com/order-0001-1/cover.pdf   # must stay valid for days
        md5sum: 4578c3ecf64e47581b175d542f8b0160
        # path: cover.pdf             # instead of md5sum: cpctl computes it
      - type: book
        url: https://files.example.com/order-0001-1/book.pdf
        md5sum: 1ef89e74e628e223ae94aa4586330833

    options:                          # type is the reference in `cpctl products info`
      - type: total_pages             # required for books
        count: 120
      - type: pageblock_80off
        count: 120
      # - option_reference:           # a synonym of type
      #   count: 1

    # For customs; a price has a comma:
    # price: "12,50"
    # currency: EUR
    # hc: "4901.99"

{_REORDER_YAML}
# files:                              # for the whole order
#   - type: delivery_note             # or promotion
#     url: https://files.example.com/order-0001/note.pdf
#     md5sum: 28fa76ff5a9e0566eaa1e11f1ce51f09

# price, currency and hc are allowed here, too. meta is by agreement with Cloudprinter.
# meta: {{}}
"""

PUBLISH_SKELETON = f"""\
# An order for titles (CloudPublish 1.0, orders/add).
# Lines that begin with # are ignored. The key comes from the profile.

order_reference: order-0001           # your own, unique among all your orders; no space, no slash
email: support@example.com            # your own, for questions about production

{_ADDRESS_YAML}
items:
  - item_reference: order-0001-1      # your own, unique within the order
    catalog_reference: catalog_1      # `cpctl catalogs list`
    isbn: 0123456789012               # `cpctl titles list CATALOG`
    quantity: 1
    shipping_level: cp_saver          # `cpctl shipping levels`

    # For customs; a price has a comma:
    # customs_price: "12,50"
    # customs_currency: EUR
    # customs_hc: "4901.99"

{_REORDER_YAML}
# For the whole order, the API's documents spell these with an e:
# custome_price: "12,50"
# custome_currency: EUR
# custome_hc: "4901.99"

# By agreement with Cloudprinter:
# meta: {{}}
"""
