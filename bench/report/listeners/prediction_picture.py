"""The picture of a run's predictions, drawn when the run is over."""

from __future__ import annotations

import io
from pathlib import Path

from bench.core import files
from bench.core.record import Record
from bench.report.pictures.predictions import prediction_picture
from bench.train.events import Listener, Preview

PICTURED = 6
"""Scenes in the picture of a run."""
PICTURE = "predictions.png"


class PredictionPicture(Listener):
    """Draws what a run's model predicts beside the truth, into the run's folder, when the run is over."""

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Draw it."""
        if preview is not None:
            content = io.BytesIO()
            prediction_picture(*preview(PICTURED)).save(content, format="PNG")
            files.replace(folder / PICTURE, content.getvalue())
