"""The commands of cpctl: the path of a module is its command."""
