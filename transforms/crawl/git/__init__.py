"""git as a child process, its URLs and its messages."""
