"""Licenses of repositories and files."""
