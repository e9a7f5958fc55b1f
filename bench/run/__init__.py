"""Which runs: one, an experiment, and what is done with a recorded run."""
