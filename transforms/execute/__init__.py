"""Samples and problems in, for each sample whether it passes and for all of them pass@k out."""
