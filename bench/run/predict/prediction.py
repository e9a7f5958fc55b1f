"""A trained run on a user's own images: reading, network and writing at once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.core.progress import Progress, no_progress
from bench.data.images.file_names import printable
from bench.data.images.files import BadImage
from bench.data.stored.decoding.images import BadFile, open_image, rgb
from bench.run.predict.any_size import Values, predict_any_size
from bench.run.predict.picture_files import PictureFile
from bench.run.trained import TrainedRun
from registry.contract import Quartet

T = TypeVar("T")
U = TypeVar("U")

THREADS = max(1, min(8, (os.cpu_count() or 1) - 1))
"""That read, and that write: with more of them than other cores the network on a CPU would wait for one."""
_AHEAD = max(4, 2 * THREADS)


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
    """Predict pictures; reading and writing go on in threads while the network computes.

    Args:
        run: whose network.
        pictures: what to predict.
        write: keeps each; what it raises ends everything but for what is wrong with a file.
        tile: largest side that the network is given at once.
        side: the network sees pictures shrunk to this shorter side, and its answer is enlarged; None: as they are.
        progress: called after every picture.

    Returns:
        What could not be predicted, with the reason.
    """
    problems: list[tuple[str, str]] = []
    done = 0
    read = partial(_try_read, lru_cache(maxsize=_AHEAD)(_decoded))  # the same background may serve all pictures
    with ThreadPoolExecutor(THREADS, thread_name_prefix="write") as writers:
        writing: deque[Future[None]] = deque()
        try:
            for picture, images in zip(pictures, map_ahead(read, pictures), strict=True):
                if isinstance(images, str):
                    problems.append((printable(picture.bg_fg), images))
                else:
                    try:
                        predicted = predict_picture(run, picture.name, *images, tile, side)
                        writing.append(writers.submit(write, predicted))
                    except (RuntimeError, ValueError, MemoryError) as error:
                        reason = (str(error).splitlines() or [type(error).__name__])[0]
                        problems.append((printable(picture.bg_fg), f"the network failed: {reason} (try --tile)"))
                while len(writing) > _AHEAD or (writing and writing[0].done()):
                    writing.popleft().result()
                done += 1
                progress(picture.name, done, len(pictures))
            while writing:
                writing.popleft().result()
        finally:
            writers.shutdown(cancel_futures=True)
    return problems


def map_ahead(function: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """``function`` of every item, in order, computed by threads that are a few items ahead."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="read") as readers:
        pending: deque[Future[U]] = deque()
        try:
            for item in items:
                pending.append(readers.submit(function, item))
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            readers.shutdown(cancel_futures=True)


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
    bg_fg = _decoded(picture.bg_fg)
    if picture.bg is None:
        return None, bg_fg
    try:
        bg = (plate or _decoded)(picture.bg)
    except (BadFile, OSError) as error:
        raise BadImage(f"its background {printable(picture.bg)}: {error}") from error
    if bg.shape != bg_fg.shape:
        sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (bg_fg, bg)]
        raise BadImage(f"{sizes[0]}, its background {printable(picture.bg)} {sizes[1]}: of different sizes")
    return bg, bg_fg


def _try_read(plate: Callable[[Path], Tensor], picture: PictureFile) -> tuple[Tensor | None, Tensor] | str:
    try:
        return read_picture(picture, plate)
    except (BadImage, BadFile, OSError) as error:
        return str(error) or type(error).__name__


def _decoded(path: Path) -> Tensor:
    return torch.from_numpy(np.array(rgb(open_image(path.read_bytes()))))


def predict_picture(
    run: TrainedRun, name: str, bg: Tensor | None, bg_fg: Tensor, tile: int | None = None, side: int | None = None
) -> Predicted:
    """A run's prediction for one picture.

    Args:
        run: whose network.
        name: of the picture.
        bg, bg_fg: (H, W, 3) of 8 bits.
        tile, side: see `predict_files`.
    """

    def network(background: Tensor | None, picture: Tensor) -> Values:
        """What the network makes of one pair, (H, W) by head."""
        prediction = run.predict(Quartet(None if background is None else background[None], picture[None]))
        return {head: values.value[0, 0] for head, values in prediction.heads()}

    full = (bg_fg.shape[0], bg_fg.shape[1])
    images = [None if image is None else _shrunk(_images(image, run.device), side) for image in (bg, bg_fg)]
    assert images[1] is not None
    values = predict_any_size(network, images[0], images[1], run.stride, tile)
    return Predicted(name, bg_fg, {head: _enlarged(value, full).cpu() for head, value in values.items()})


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
