"""The currencies in which the sandbox quotes."""

from decimal import Decimal

INVOICE = "EUR"
# How much of each one euro buys, here and for ever.
RATES: dict[str, Decimal] = {
    code: Decimal(rate)
    for code, rate in {
        "EUR": "1.0000",
        "USD": "1.1000",
        "GBP": "0.8500",
        "CHF": "0.9600",
        "DKK": "7.4600",
        "SEK": "11.3000",
        "NOK": "11.6000",
        "PLN": "4.3000",
        "CZK": "25.0000",
        "CAD": "1.5000",
        "AUD": "1.6500",
        "JPY": "160.0000",
    }.items()
}
