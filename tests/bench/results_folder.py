"""Folders of made-up records with per-image metrics beside them. For tests of what compares records."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.core.record import Record
from bench.results import store
from tests.bench.records import record

IMAGES = 60
GROUPS = 12


def images(dice: float, seed: int, count: int = IMAGES, first: int = 0) -> dict[str, list[float | int]]:
    """Per-image metrics about ``dice`` and about its complement as depth_rmse; hard images are hard for every model."""
    ids = np.arange(first, first + count)
    hard = np.random.default_rng(0).normal(0, 0.1, size=first + count)[ids]
    noise = np.random.default_rng([seed, int(1000 * dice)]).normal(0, 0.01, size=count)
    return {
        "sample": ids.tolist(),
        "background": (ids % GROUPS).tolist(),
        "object": (ids % 5).tolist(),
        "mask_dice": (dice + hard + noise).tolist(),
        "depth_rmse": (1 - dice - hard - noise).tolist(),
    }


def keep(folder: Path, dice: float, seed: int = 0, count: int = IMAGES, first: int = 0, **facts: object) -> Record:
    """Write one record whose images score about ``dice``; facts as `tests.bench.records.record` takes them."""
    one = record(seed=seed, dice=dice, rmse=1 - dice, **facts)
    scores = {name: score.model_copy(update={"images": count}) for name, score in one.test.items()}
    one = one.model_copy(update={"test": scores})
    store.write(folder, one, images(dice, seed, count, first))
    return one
