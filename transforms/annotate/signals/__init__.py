"""Signals of one text each: kernels over bytes, and evidence that a reader would point at."""
