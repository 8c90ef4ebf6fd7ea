"""The packing bench: what a scan means, and what the screen shows."""
