"""cpctl as a service: units for systemd and lines for cron, as text. No I/O."""
