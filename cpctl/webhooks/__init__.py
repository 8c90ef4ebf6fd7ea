"""Receiving webhooks: check, store, respond, then deliver to targets."""
