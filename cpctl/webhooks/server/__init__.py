"""The HTTP side of receiving: application, server, TLS, writer, metrics and access log."""
