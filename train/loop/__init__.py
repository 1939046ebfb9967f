"""The training loop: a step, a run, its checkpoints."""
