"""The texts of `cpctl help` and `cpctl explain`."""
