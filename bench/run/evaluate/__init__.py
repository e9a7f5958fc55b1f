"""Trained runs on data that they were not trained on."""
