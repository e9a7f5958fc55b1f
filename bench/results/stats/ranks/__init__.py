"""Many rows at once: who leads and who is tied, how probably each is the best, whether two orders agree."""
