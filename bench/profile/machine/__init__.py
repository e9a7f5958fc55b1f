"""The machine itself: what it can do at best, and what is slow about it."""
