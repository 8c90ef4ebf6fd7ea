"""The state of a profile's queue: paused or not, and the waiting time after an outage of the service."""

from typing import NamedTuple

from cpctl import retry
from cpctl.outbox.models import OPEN_STATES, DeliveryResult, sql_list
from cpctl.store.store import Transaction

# SQLite uses the index of open signals only for a query that contains the whole list of open states.
_RESUME_SQL = f"""
    UPDATE signals INDEXED BY signals_open
    SET state = 'queued', held_by = '', next_attempt_at = :now, not_before = 0
    WHERE profile = :profile AND state IN ({sql_list(OPEN_STATES)}) AND state = 'held' AND held_by = 'answer'
"""
_POSTPONE_SQL = """
    UPDATE signals SET next_attempt_at = max(next_attempt_at, :retry_at), not_before = max(not_before, :not_before)
    WHERE profile = :profile AND state = 'queued'
"""
_ALL_DUE_SQL = """
    UPDATE signals SET next_attempt_at = :now
    WHERE profile = :profile AND state = 'queued' AND next_attempt_at > :now
"""
_PAUSE_SQL = """
    INSERT INTO queues (profile, paused_status, paused_message, paused_at) VALUES (:profile, :status, :message, :now)
    ON CONFLICT (profile) DO UPDATE SET paused_status = :status, paused_message = :message, paused_at = :now
"""
_FAILURE_SQL = """
    INSERT INTO queues (profile, delayed, outages) VALUES (:profile, 1, :outage)
    ON CONFLICT (profile) DO UPDATE SET delayed = 1, outages = outages + :outage
"""


class Pause(NamedTuple):
    """Why a profile's queue is paused, and since when (ms)."""

    http_status: int | None
    message: str
    paused_at: int


def get_pause(transaction: Transaction, profile: str) -> Pause | None:
    """Why the queue is paused, or None if it is not."""
    sql = "SELECT * FROM queues WHERE profile = :profile AND paused_at IS NOT NULL"
    row = transaction.fetch_one(sql, profile=profile)
    return Pause(row["paused_status"], row["paused_message"], row["paused_at"]) if row else None


def pause_queue(transaction: Transaction, profile: str, result: DeliveryResult, now: int) -> None:
    """Stop sending: the key or the address is wrong, and the signals may be right."""
    transaction.execute(_PAUSE_SQL, status=result.http_status, message=result.message, now=now, profile=profile)


def resume_queue(transaction: Transaction, profile: str, now: int) -> int:
    """End a pause: what it held is queued again and due now. Returns how many signals that are."""
    sql = "UPDATE queues SET paused_status = NULL, paused_message = '', paused_at = NULL WHERE profile = :profile"
    transaction.execute(sql, profile=profile)
    return transaction.execute(_RESUME_SQL, profile=profile, now=now)


def record_failure(transaction: Transaction, profile: str, result: DeliveryResult, now: int) -> None:
    """Note a failed post. In an outage of the service every queued signal waits, not only those of the post."""
    transaction.execute(_FAILURE_SQL, outage=result.affects_service, profile=profile)
    if not result.affects_service:
        return
    row = transaction.fetch_one("SELECT outages FROM queues WHERE profile = :profile", profile=profile)
    retry_after_ms = int(min(result.retry_after or 0.0, retry.MAX_RETRY_AFTER_SECONDS) * 1000)
    transaction.execute(
        _POSTPONE_SQL,
        retry_at=now + retry.SIGNALS.delay_ms(row["outages"] if row else 1),
        not_before=now + retry_after_ms if retry_after_ms > 0 else 0,
        profile=profile,
    )


def record_success(transaction: Transaction, profile: str, now: int) -> None:
    """A delivered signal proves that the service is well: it ends a pause and makes every queued signal due."""
    row = transaction.fetch_one("SELECT paused_at, delayed FROM queues WHERE profile = :profile", profile=profile)
    # While all is well, nothing needs to be written: a large queue is not rewritten after every delivery.
    if row is None or (row["paused_at"] is None and not row["delayed"]):
        return
    resume_queue(transaction, profile, now)
    transaction.execute(_ALL_DUE_SQL, profile=profile, now=now)
    transaction.execute("UPDATE queues SET outages = 0, delayed = 0 WHERE profile = :profile", profile=profile)
