"""What compares: one common loop that trains, times, evaluates, records and ranks models and losses."""

__version__ = "0.1.0"
