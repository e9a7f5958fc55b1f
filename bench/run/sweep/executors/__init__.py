"""What makes the runs of a sweep: processes on this machine, or Ray."""
