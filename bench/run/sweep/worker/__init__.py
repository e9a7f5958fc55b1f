"""What makes one task: audit, training, test and record, told as events."""
