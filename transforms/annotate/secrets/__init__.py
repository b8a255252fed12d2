"""Secrets and personal data in texts, as spans."""
