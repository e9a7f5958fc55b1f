"""Choosing one number for every cell by trials on validation, the same number of them for each."""
