"""How a step is run: eagerly, compiled, or captured in a CUDA graph."""
