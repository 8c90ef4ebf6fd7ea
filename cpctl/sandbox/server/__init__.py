"""The sandbox as an HTTP server on loopback."""
