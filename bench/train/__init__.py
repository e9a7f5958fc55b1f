"""One run: from a spec to a trained, tested model."""
