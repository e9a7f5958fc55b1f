"""Thumbnails of a run's predictions: written when it ends, read back by the report."""

from pathlib import Path

import numpy as np
import torch

from bench.report.html.explore import side_by_side
from bench.report.listeners.thumbnails import FIELDS, NAME, SIDE, Thumbnails, mosaic
from registry.contract import Prediction, Quartet
from tests.bench.records import record


def scenes(count: int, size: int) -> tuple[Quartet, Prediction]:
    mask = torch.zeros(count, 1, size, size)
    mask[:, :, : size // 2] = 1
    quartet = Quartet(torch.rand(count, 3, size, size), torch.rand(count, 3, size, size), mask)
    return quartet, Prediction(mask_logits=torch.where(mask > 0, 20.0, -20.0))


def test_a_row_an_image_a_column_a_field() -> None:
    picture = mosaic(*scenes(3, 2 * SIDE))
    assert picture.size == (len(FIELDS) * SIDE, 3 * SIDE)
    pixels = torch.from_numpy(np.array(picture.convert("L"))).view(3, SIDE, len(FIELDS), SIDE)
    for field in ("mask", "predicted mask"):
        column = pixels[:, :, FIELDS.index(field)]
        assert (column[:, : SIDE // 2] == 255).all()
        assert (column[:, SIDE // 2 :] == 0).all()
    assert (pixels[:, :, FIELDS.index("predicted depth")] == 0).all()  # it has no depth


def test_the_report_reads_what_a_run_wrote(tmp_path: Path) -> None:
    assert (side_by_side.NAME, side_by_side.FIELDS) == (NAME, len(FIELDS))
    Thumbnails().finished(record(), tmp_path, lambda count: scenes(min(count, 5), 32))
    assert (tmp_path / NAME).exists()
    Thumbnails().finished(record(), tmp_path / "nowhere", None)  # nothing was predicted
    assert not (tmp_path / "nowhere").exists()
