"""cpctl: the command line of the print shop, for Cloudprinter.com."""

__version__ = "0.1.0"
