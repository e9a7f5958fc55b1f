"""What the data of a source is like, and what is likely wrong with it, before anybody trains on it."""
