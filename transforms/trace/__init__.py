"""Trace: test suites of repositories in, verified programming problems out."""
