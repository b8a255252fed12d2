"""Attributes in, for each document the first rule that rejects it out."""
