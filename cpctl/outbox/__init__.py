"""From accepted to delivered: the store, the outbox in it, and the rules of sending."""
