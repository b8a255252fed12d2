"""Where it runs: one module per engine. Imports nothing of ours."""
