"""Rooms and figures ray-cast in torch, with true depth."""
