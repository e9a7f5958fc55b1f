"""What is found out before a run is trained."""
