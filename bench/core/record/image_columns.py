"""Columns of a per-image table that are no metrics, by the beginnings of their names."""

from __future__ import annotations

PREFIX = "image/"
"""What an image is like, see `bench.metrics.attributes`."""

CAMERA = "camera/"
"""What the camera drew for it."""
