"""A simulated Cloudprinter on loopback, for practice and tests. It never connects to another machine."""
