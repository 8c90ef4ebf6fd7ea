"""Controlling a running sandbox: faults, state and webhooks on request."""
