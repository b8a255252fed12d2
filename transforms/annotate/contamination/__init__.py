"""Overlap of documents with the problems of benchmarks."""
