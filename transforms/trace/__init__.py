"""Tracing test suites, and programming problems from what they call."""
