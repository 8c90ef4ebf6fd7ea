"""The configuration file, its profiles and keys, and the paths of cpctl's files."""
