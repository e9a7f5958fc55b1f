"""Records of finished and failed runs: how they are written and read, arranged and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load(folder: str | Path = "results") -> pd.DataFrame:
    """All records as a table with a row per record, see `bench.results.frame.frame`."""
    from bench.results.frame import frame

    return frame(Path(folder))


def load_images(folder: str | Path = "results") -> pd.DataFrame:
    """All per-image metrics as a table with a row per test image of a record, see `bench.results.frame.images`."""
    from bench.results.frame import images

    return images(Path(folder))
