"""Received events: storage, searches, and deliveries to targets."""
