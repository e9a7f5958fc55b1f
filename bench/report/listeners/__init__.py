"""Listeners to the events of a run: terminal, TensorBoard, picture of predictions, thumbnails."""
