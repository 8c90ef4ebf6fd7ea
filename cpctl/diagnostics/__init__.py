"""Checks of the machine and of the network. They get what they check as arguments."""
