"""cpctl as a service: systemd units and crontab lines, as text."""
