"""The tokenizer of a run: taken as it is, or learned from a sample of the selected documents."""
