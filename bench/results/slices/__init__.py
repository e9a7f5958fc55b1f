"""Where a model fails: its scores by what the test images are like."""
