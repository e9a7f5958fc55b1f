"""Trained runs on photographs that get worse."""
