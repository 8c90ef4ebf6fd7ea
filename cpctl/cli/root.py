"""The tree of commands at its top. A group is a module of this folder; it is loaded when it is used."""

from cpctl.cli.group import Root

GROUPS = {
    "signal": "Report production signals: registered, produced, shipped and the others.",
    "outbox": "What is accepted and not delivered yet.",
    "profile": "The profiles of the configuration file.",
    "sandbox": "A Cloudprinter on this machine, to try things out and to test scripts.",
}

COMMANDS = {
    "whoami": "Show where calls would go, and from where each value comes.",
    "completion": "Print the completion script of a shell.",
}


def root() -> Root:
    """The command `cpctl`."""
    return Root(GROUPS, COMMANDS, "The command line of the print shop, for Cloudprinter.com.")
