"""Tracking codes: which carrier's they can be, and whether their check digit is right. No I/O."""

CARRIERS: dict[str, str] = {
    "ups": "UPS",
    "fedex": "FedEx",
    "usps": "USPS",
    "dhl": "DHL Express",
    "dhl-de": "DHL Paket",
    "hermes": "Hermes",
    "dpd": "DPD",
    "gls": "GLS",
    "post": "postal services (S10)",
    "yodel": "Yodel",
    "amazon": "Amazon",
    "yunexpress": "YunExpress",
}
