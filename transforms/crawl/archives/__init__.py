"""Archives read as streams of files."""
