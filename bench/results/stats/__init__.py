"""What separates a difference from luck: intervals over seeds and test images, verdicts, seeds still needed, ranks."""
