"""Labels: which parcels carry a tracking code already. One label belongs to one parcel, and so to one order."""

from cpctl.outbox.models import QueuedSignal
from cpctl.store.store import Transaction

# Those that count: not refused, expired or dropped.
_LABEL_USES_SQL = """
    SELECT * FROM signals WHERE tracking = :tracking AND tracking <> '' AND profile = :profile
        AND environment IN ('', :environment) AND order_id <> :order AND state IN ('queued', 'held', 'delivered')
    ORDER BY id
"""


def find_label_uses(
    transaction: Transaction, profile: str, environment: str, tracking: str, order: str = ""
) -> list[QueuedSignal]:
    """The ItemShipped signals of other orders that carry this tracking code, oldest first."""
    values = {"profile": profile, "environment": environment, "tracking": tracking, "order": order}
    return [QueuedSignal.from_row(row) for row in transaction.fetch_all(_LABEL_USES_SQL, **values)]
