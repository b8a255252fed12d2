"""The sources of repositories that repomill ships, one a module."""
