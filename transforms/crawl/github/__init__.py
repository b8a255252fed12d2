"""GitHub's REST API: what it lists, page by page."""
