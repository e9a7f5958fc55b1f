"""A trained run on a user's own pictures."""
