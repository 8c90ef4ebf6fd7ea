"""A row per endpoint: which service it belongs to, which key it takes, and its path."""

from typing import NamedTuple


class Endpoint(NamedTuple):
    """One URL of the service. Every call is a POST with a JSON object that holds the key."""

    name: str
    path: str
    key: str  # which of the profile's keys: core or signal


# CloudSignal 2.0 and 1.1, "Signal types". The documents show 1.1 at two paths; a profile names one.
ENDPOINTS: dict[str, Endpoint] = {
    row.name: row
    for row in (
        Endpoint("signal-2.0", "/cloudsignal/2.0/status/", "signal"),
        Endpoint("signal-1.1", "/1.1/status/", "signal"),
        Endpoint("signal-1.1-alternative", "/cloudsignal/1.1/status/", "signal"),
    )
}
