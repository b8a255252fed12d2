"""How the stages compose: configuration, stages, commands, progress, report."""
