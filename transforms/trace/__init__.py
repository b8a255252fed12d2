"""From a repository's own tests to programming problems with tests."""
