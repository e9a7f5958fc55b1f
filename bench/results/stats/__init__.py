"""What separates a difference from luck: paired bootstrap over seeds and image groups, verdicts, seeds still needed."""
