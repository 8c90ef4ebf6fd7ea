"""Report two parcels from Python, as safely as the command line does.

Run it against the sandbox: cpctl sandbox run -- python3 examples/report_from_python.py
"""

import sys

from cpctl.errors import CpctlError
from cpctl.sdk import Partner, exit_code

ORDER = "123456780000"
PARCELS = {"123456780001": "1Z5R89390357567127", "123456780002": "00340434161094015902"}


def main() -> int:
    """Report every parcel as shipped, print the results, and list the shipping levels."""
    with Partner() as partner:
        signals = [partner.signal("ItemShipped", ORDER, item, tracking=code) for item, code in PARCELS.items()]
        results = partner.report(signals)  # on disk before the first byte is sent
        for result in results:
            print(result.signal.item, result.state, "safe" if result.is_safe else f"NOT SAFE: {result.message}")
        for level in partner.call("shipping/levels"):
            print(level["shipping_level_reference"], level["name"])
    return exit_code(results)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CpctlError as error:  # nothing was accepted
        print(f"{error.message} {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
