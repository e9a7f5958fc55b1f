"""Do intervals hold what they promise: simulated differences whose truth is known, and docs/statistics.md."""
