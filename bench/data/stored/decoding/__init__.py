"""File contents as arrays of one size."""
