"""Running seeds only where a comparison with the leader is open, by bounds that allow for looking after every seed."""
