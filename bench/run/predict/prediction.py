"""A trained run on a user's own images: reading, network and writing at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BadData
from bench.core.machine import untried_shapes
from bench.core.progress import Progress, no_progress
from bench.data.images.file_names import printable
from bench.data.images.files import BadImage
from bench.data.loading.ahead import prefetch
from bench.data.stored.decoding.images import BadFile, open_image, rgb
from bench.run.predict.any_size import Values, predict_any_size
from bench.run.predict.networks import Networks
from bench.run.predict.picture_files import PictureFile
from bench.run.trained import TrainedRun
from bench.train.failures import describe, out_of_memory
from registry.contract import Quartet

_BESIDE_A_GPU = max(1, min(8, os.cpu_count() or 1))
"""Threads that read and write beside the one whose picture a GPU computes."""


@dataclass(frozen=True)
class Predicted:
    """A picture and what the network made of it.

    Attributes:
        name: of the picture.
        photograph: bg_fg, (H, W, 3) of 8 bits.
        values: by head, (H, W) in [0, 1].
    """

    name: str
    photograph: Tensor
    values: Values


Write = Callable[[Predicted], None]
"""Keeps what was predicted; called by several threads."""


def predict_files(
    run: TrainedRun,
    pictures: Sequence[PictureFile],
    write: Write,
    tile: int | None = None,
    side: int | None = None,
    progress: Progress = no_progress,
) -> list[tuple[str, str]]:
    """Predict pictures, several at once: each thread reads one, has a network for it, and writes what that made.

    Args:
        run: whose network.
        pictures: what to predict.
        write: keeps each; what it raises ends everything.
        tile: largest side that the network is given at once.
        side: the network sees pictures shrunk to this shorter side, and its answer is enlarged; None: as they are.
        progress: called before the first picture, and after every picture, in their order; and after every tile, by
            several threads.

    Returns:
        What could not be predicted, with the reason.
    """
    networks = Networks(run)
    finished = 0
    plate = lru_cache(maxsize=2 * networks.count)(decoded)  # the same background may serve all pictures

    def predict(picture: PictureFile) -> str:
        """Why it cannot be predicted; empty if it was."""
        try:
            images = read_picture(picture, plate)
        except (BadImage, BadFile, OSError) as error:
            return str(error) or type(error).__name__

        def told(_: str, tile_number: int, tiles: int) -> None:
            """Tell of a tile of this picture."""
            progress(f"{picture.name}, tile {tile_number} of {tiles}", finished, len(pictures))

        try:
            with networks.borrow(_pixels_at_once(images[1], tile, side)) as network:
                predicted = predict_picture(network, picture.name, *images, tile, side, told)
        except Exception as error:  # whatever a model of the user's own may raise
            if out_of_memory(error):
                return "too large for the memory: --tile divides it, --side shrinks it"
            return f"the network failed: {describe(error)}"
        vague = [head for head, values in predicted.values.items() if not values.isfinite().all()]
        if vague:
            return f"the network's {' and '.join(vague)} is not finite"
        write(predicted)
        return ""

    problems: list[tuple[str, str]] = []
    threads = networks.count + (1 if run.device.type == "cpu" else _BESIDE_A_GPU)
    try:
        if pictures:
            progress(pictures[0].name, 0, len(pictures))
        made = prefetch(predict, pictures, 2 * threads, threads)
        with untried_shapes():  # pictures come in any size
            for finished, (picture, problem) in enumerate(zip(pictures, made, strict=True), 1):
                if problem:
                    problems.append((printable(picture.bg_fg), problem))
                progress(picture.name, finished, len(pictures))
    finally:
        networks.close()
    return problems


def check_plate(path: Path | None) -> None:
    """Ensure that the one background of all pictures can be read, if it is a file.

    Raises:
        BadData: it cannot.
    """
    if path is None or not path.is_file():
        return
    try:
        decoded(path)
    except (BadImage, BadFile, OSError) as error:
        raise BadData([(printable(path), f"{error}; it was to be the background of all pictures")]) from error


def read_picture(picture: PictureFile, plate: Callable[[Path], Tensor] | None = None) -> tuple[Tensor | None, Tensor]:
    """Decode a picture and its background.

    Args:
        picture: its files.
        plate: reads a background, such as one that remembers the last; None: decode it.

    Returns:
        bg, or None, and bg_fg, (H, W, 3) of 8 bits.

    Raises:
        BadImage, BadFile: what is wrong with a file, or the two are of different sizes.
        OSError: a file cannot be read.
    """
    bg_fg = decoded(picture.bg_fg)
    if picture.bg is None:
        return None, bg_fg
    try:
        bg = (plate or decoded)(picture.bg)
    except (BadFile, OSError) as error:
        raise BadImage(f"its background {printable(picture.bg)}: {error}") from error
    if bg.shape != bg_fg.shape:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (bg_fg, bg)]
        raise BadImage(f"{sizes[0]}, its background {printable(picture.bg)} {sizes[1]}: of different sizes")
    return bg, bg_fg


def decoded(path: Path) -> Tensor:
    """A picture's file, (H, W, 3) of 8 bits.

    Raises:
        BadImage, BadFile: what is wrong with it.
        OSError: it cannot be read.
    """
    return torch.from_numpy(np.array(rgb(open_image(path.read_bytes()))))


def predict_picture(
    run: TrainedRun,
    name: str,
    bg: Tensor | None,
    bg_fg: Tensor,
    tile: int | None = None,
    side: int | None = None,
    progress: Progress = no_progress,
) -> Predicted:
    """A run's prediction for one picture.

    Args:
        run: whose network.
        name: of the picture.
        bg, bg_fg: (H, W, 3) of 8 bits.
        tile, side: see `predict_files`.
        progress: called after every tile, where there are several.
    """

    def network(background: Tensor | None, picture: Tensor) -> Values:
        """What the network makes of one pair, (H, W) by head."""
        prediction = run.predict(Quartet(None if background is None else background[None], picture[None]))
        return {head: values.value[0, 0] for head, values in prediction.heads()}

    full = (bg_fg.shape[0], bg_fg.shape[1])
    images = [None if image is None else _shrunk(_images(image, run.device), side) for image in (bg, bg_fg)]
    assert images[1] is not None
    values = predict_any_size(network, images[0], images[1], run.stride, tile, progress)
    return Predicted(name, bg_fg, {head: _enlarged(value, full).cpu() for head, value in values.items()})


def _pixels_at_once(picture: Tensor, tile: int | None, side: int | None) -> int:
    """Pixels of a picture (H, W, 3) that the network is given at once."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / min(height, width)) if side else 1.0
    lengths = [min(round(length * scale), tile or length) for length in (height, width)]
    return lengths[0] * lengths[1]


def _images(pixels: Tensor, device: torch.device) -> Tensor:
    """(3, H, W) in [0, 1] of (H, W, 3) of 8 bits."""
    return pixels.to(device).permute(2, 0, 1).float() / 255


def _shrunk(image: Tensor, side: int | None) -> Tensor:
    shorter = min(image.shape[-2:])
    if side is None or shorter <= side:
        return image
    size = [max(1, round(length * side / shorter)) for length in image.shape[-2:]]
    return functional.interpolate(image[None], size=size, mode="bilinear", antialias=True, align_corners=False)[0]


def _enlarged(value: Tensor, size: tuple[int, int]) -> Tensor:
    if value.shape == size:
        return value
    return functional.interpolate(value[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
