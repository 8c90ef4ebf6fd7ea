"""The orders, quotes and titles of the sandbox, and how they change over time."""
