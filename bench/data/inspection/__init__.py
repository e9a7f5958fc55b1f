"""What the data of a source is like, and what is likely wrong with it, before it is used for training."""
