"""Fingerprints in, for each document the kept document that it duplicates out."""
