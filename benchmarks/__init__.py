"""What repomill claims, measured; see README.md."""
