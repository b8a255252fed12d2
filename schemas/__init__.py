"""What the data is: one module per table. Imports nothing of ours."""
