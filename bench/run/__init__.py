"""Runs, experiments of several runs, and what is done with a recorded run."""
