"""The same work by other libraries, one file each."""
