"""The state of a training run, and the files it is kept in."""
