"""Completion: the scripts that shells run, and the words that only this machine knows."""
