"""Repositories in, documents out."""
