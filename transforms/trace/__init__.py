"""From the tests of a repository to verified programming problems."""
