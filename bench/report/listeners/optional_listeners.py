"""What draws and writes event files beside every run, by what it makes."""

from __future__ import annotations

from bench.report.listeners.prediction_picture import PredictionPicture
from bench.report.listeners.tensorboard import TensorBoard
from bench.report.listeners.thumbnails import Thumbnails
from bench.report.listeners.trackers import build_trackers
from bench.train.events import Listener


def optional_listeners(*tracked: str) -> dict[str, Listener]:
    """New listeners of a run; none of them may end it, see `bench.train.events.OptionalListener`.

    Args:
        tracked: keys of experiment trackers besides.
    """
    own = {"TensorBoard events": TensorBoard(), "picture": PredictionPicture(), "thumbnails": Thumbnails()}
    return {**own, **build_trackers(tracked)}
