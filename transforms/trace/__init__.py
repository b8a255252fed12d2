"""Trees of repositories in, functions that their own tests called out, as verified problems."""
