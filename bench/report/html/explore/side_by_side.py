"""The same test images predicted by every model: best, median, worst, and largest disagreement."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

from bench.results.board import Group
from bench.results.board.row import Row

NAME = "thumbnails.png"
FIELDS = 6
MOST = 12
"""Number of models shown side by side."""


@dataclass(frozen=True)
class Scene:
    """A test image and its predictions.

    Attributes:
        why: ``best``, ``median``, ``worst`` or ``largest disagreement``, by the mask.
        index: of the test image.
        given: bg, bg_fg, mask and depth, as data URLs.
        predicted: by model: mask and depth as data URLs, None where the run has no thumbnails.
    """

    why: str
    index: int
    given: tuple[str, ...]
    predicted: dict[str, tuple[str, str] | None]


def scenes(group: Group, runs: Path) -> list[Scene]:
    """Test images of a group, chosen by the mean error of all models' masks; empty where no run has thumbnails."""
    import numpy as np

    kept = {_name(row): _read(row, runs) for row in [row for row in group.board if row.learns][:MOST]}
    read = {name: picture for name, picture in kept.items() if picture is not None}
    if not read:
        return []
    count = min(len(picture) for picture in read.values())
    errors = np.stack(
        [np.abs(picture[:count, 4] - picture[:count, 2]).mean(axis=(1, 2, 3)) for picture in read.values()]
    )
    spread = np.stack([picture[:count, 4] for picture in read.values()]).std(axis=0).mean(axis=(1, 2, 3))
    by_error = errors.mean(axis=0).argsort()
    chosen = {"best": by_error[0], "median": by_error[count // 2], "worst": by_error[-1]}
    chosen["largest disagreement"] = spread.argmax()
    first = next(iter(read.values()))
    return [
        Scene(
            why,
            int(index),
            tuple(_url(first[index, field]) for field in range(4)),
            {
                name: None if picture is None else (_url(picture[index, 4]), _url(picture[index, 5]))
                for name, picture in kept.items()
            },
        )
        for why, index in chosen.items()
    ]


def _name(row: Row) -> str:
    return f"{row.model} · {row.recipe} · {row.any.spec.precision_label}"


def _read(row: Row, runs: Path) -> npt.NDArray[np.float32] | None:
    """Thumbnails of the row's first seed that has them, (images, fields, side, side, 3) in [0, 1]."""
    import numpy as np
    from PIL import Image

    for _, record in row.records.values():
        path = runs / record.id / NAME
        try:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB")).astype(np.float32) / np.float32(255)
        except OSError:
            continue
        side = pixels.shape[1] // FIELDS
        rows = pixels.shape[0] // side
        return pixels[: rows * side].reshape(rows, side, FIELDS, side, 3).transpose(0, 2, 1, 3, 4)
    return None


def _url(pixels: npt.NDArray[np.float32]) -> str:
    import numpy as np
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray((pixels * 255).round().astype(np.uint8)).save(content, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
