"""A Cloudprinter on loopback, for practice and for tests: state, rules and faults. It never reaches another machine."""
