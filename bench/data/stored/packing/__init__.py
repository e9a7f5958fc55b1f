"""Decoded quartets kept in files that are mapped into memory."""
