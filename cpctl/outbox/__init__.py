"""The outbox: signals from accepted to delivered."""
