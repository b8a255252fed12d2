"""Files that lie elsewhere: objects of stores, and what is copied from there."""
