"""Not a stage: runs untrusted Python for the stages that execute and trace it."""
