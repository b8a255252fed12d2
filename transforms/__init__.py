"""What happens to the data: one folder per stage, pure kernels beside thin Beam transforms."""
