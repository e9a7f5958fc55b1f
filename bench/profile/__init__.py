"""Where the time, the memory and the arithmetic of a training step go, and how sure that is."""
