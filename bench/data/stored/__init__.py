"""Quartets that lie in files: folders and zips, in the five published layouts or the user's; read, packed, exported."""
