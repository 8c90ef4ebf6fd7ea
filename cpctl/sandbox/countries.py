"""Where the sandbox ships to: countries, their states, and which of them need a state or no zip code.

Source: CloudCore API 1.0, "Shipping countries" and "Shipping states/regions". US, CA and AE are known to
require a state; the others with states here are likely, the list of the service is longer.
"""

from collections.abc import Mapping
from typing import NamedTuple

from cpctl.lists import countries, states


class Country(NamedTuple):
    """A country with its states; where it has any here, an address there needs one of them."""

    reference: str
    note: str
    needs_zip: bool
    states: Mapping[str, str]  # reference -> name

    @property
    def requires_state(self) -> bool:
        """Whether an address in this country names its state."""
        return bool(self.states)


COUNTRIES: dict[str, Country] = {
    code: Country(code, name, code not in countries.WITHOUT_ZIP, states.STATES.get(code, {}))
    for code, name in countries.COUNTRIES.items()
}
