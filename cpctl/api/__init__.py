"""The wire, outgoing. The only folder that knows requests."""
