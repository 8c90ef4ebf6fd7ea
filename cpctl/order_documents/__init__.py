"""Order and quote documents: reading, checks, preparation for sending, and skeletons. No network."""
