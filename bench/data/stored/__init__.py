"""Quartets that lie in files: folders and zips, in the five published layouts or one's own; read, packed, exported."""
