"""How long a step takes, and where its time and memory go."""
