"""Verified functions in, problems out."""
