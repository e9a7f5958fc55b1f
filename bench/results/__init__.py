"""Records of finished and failed runs: their shape, and how they are written and read."""
