"""Package indexes and lists of projects."""
