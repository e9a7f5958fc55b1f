"""Depth from a network that was trained elsewhere: a teacher."""
