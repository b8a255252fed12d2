"""What is fetched over HTTP and kept."""
