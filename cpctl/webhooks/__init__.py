"""The wire, incoming: check, store, answer; then hand over to targets."""
