"""The groups and commands of cpctl. Each is a module of `commands`, loaded when it is used."""

from cpctl.cli.framework import RootGroup

GROUPS = {
    "signal": "Report production signals: registered, produced, shipped and others.",
    "outbox": "Manage the signals that are accepted but not delivered yet.",
    "orders": "Manage orders: list, show, add, cancel, wait.",
    "quote": "Get the price and the shipping options of an order.",
    "products": "List products and product mixes.",
    "shipping": "List shipping levels, countries and states.",
    "catalogs": "Manage catalogs of titles (CloudPublish).",
    "titles": "Manage the titles of a catalog (CloudPublish).",
    "profile": "Manage the profiles of the configuration file.",
    "webhooks": "Receive webhooks, and show the received events.",
    "service": "Print systemd units and cron lines that run cpctl as a service.",
    "sandbox": "Run a simulated Cloudprinter on this machine, to try things out and to test scripts.",
}

COMMANDS = {
    "help": "Show the help of a command, or of a topic such as exit-codes.",
    "explain": "Explain a call or a signal: its fields, key, responses, and an example.",
    "api": "Call any path of the service; the right key is added.",
    "whoami": "Show where calls go, and the source of every setting.",
    "doctor": "Check configuration, keys, store, network, clock and machine.",
    "completion": "Print the completion script of a shell.",
}


def build_root() -> RootGroup:
    return RootGroup(GROUPS, COMMANDS, "The command line of the print shop, for Cloudprinter.com.")
