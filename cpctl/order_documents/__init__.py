"""Order and quote documents: read, checked, completed, and drafted. No network."""
