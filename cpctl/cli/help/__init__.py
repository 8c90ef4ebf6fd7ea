"""What cpctl says of itself: topics, and what each call to the service consists of."""
