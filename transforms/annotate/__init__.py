"""Documents in, quality signals and fingerprints out, in one pass over the text."""
