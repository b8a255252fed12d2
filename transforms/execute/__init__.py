"""Execute: samples in, verdicts and pass@k out; each sample runs in the sandbox."""
