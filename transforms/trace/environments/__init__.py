"""Isolated environments of hostile projects, and the runs of their test suites in them."""
