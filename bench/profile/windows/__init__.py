"""Windows of steps: measured in rounds and restarts, in the order A B B A, and summarised with their interval."""
