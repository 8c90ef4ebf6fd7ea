"""The commands: a module's path is its command."""
