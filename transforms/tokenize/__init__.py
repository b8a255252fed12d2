"""Selected documents in, their token ids out."""
