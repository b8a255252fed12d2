"""Data files whose rows are files of many repositories."""
