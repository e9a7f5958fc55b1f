"""The picture of a run's predictions, drawn at its end."""

from __future__ import annotations

from pathlib import Path

from bench.core.record import Record
from bench.report.pictures.png import save_png
from bench.report.pictures.predictions import prediction_picture
from bench.train.events import Listener, Preview

PICTURED = 6
"""Number of scenes in the picture."""
PICTURE = "predictions.png"


class PredictionPicture(Listener):
    """Draws a run's predictions beside the truth into the run's folder, at its end."""

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Draw and write the picture."""
        if preview is not None:
            save_png(prediction_picture(*preview(PICTURED)), folder / PICTURE)
