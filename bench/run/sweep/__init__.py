"""A whole grid of runs: which there are, in which order they are made, by whom, and what of it is done already."""
