"""The tree of commands at its top. A group is a module of this folder; it is loaded when it is used."""

from cpctl.cli.framework import RootGroup

GROUPS = {
    "signal": "Report production signals: registered, produced, shipped and the others.",
    "outbox": "What is accepted and not delivered yet.",
    "orders": "Orders: list, look, add, cancel, wait.",
    "quote": "What an order would cost, and how it could be shipped.",
    "products": "What can be ordered, and product mixes.",
    "shipping": "Shipping levels, countries and states.",
    "catalogs": "Collections of titles (CloudPublish).",
    "titles": "The books of a catalog (CloudPublish).",
    "profile": "The profiles of the configuration file.",
    "webhooks": "Receive webhooks, and look at what was received.",
    "service": "Units for systemd and lines for cron, to run cpctl as a service.",
    "sandbox": "A Cloudprinter on this machine, to try things out and to test scripts.",
}

COMMANDS = {
    "help": "Show the help of a command, or a topic such as exit-codes.",
    "explain": "Show what a call or a signal consists of: fields, key, answers, an example.",
    "api": "Post to any path of the service, with the right key added.",
    "whoami": "Show where calls would go, and from where each value comes.",
    "doctor": "Look at configuration, keys, store, network, clock and machine.",
    "completion": "Print the completion script of a shell.",
}


def build_root() -> RootGroup:
    """The command `cpctl`."""
    return RootGroup(GROUPS, COMMANDS, "The command line of the print shop, for Cloudprinter.com.")
