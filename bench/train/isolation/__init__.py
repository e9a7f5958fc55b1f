"""What a call of a model must not change: the model itself, random states, settings of the process."""
