"""Folders and zips as lists of files."""
