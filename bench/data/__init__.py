"""Where quartets come from, how they are split, photographed, augmented and loaded."""
