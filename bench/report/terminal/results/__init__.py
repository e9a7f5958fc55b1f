"""Answers to questions about records, as tables for the terminal."""
