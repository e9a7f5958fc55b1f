"""Pictures: predictions beside the truth, files of predictions, bars, curves."""
