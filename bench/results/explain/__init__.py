"""How much of a metric's variance is architecture, loss, both together, seed and test images."""
