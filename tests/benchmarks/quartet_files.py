"""What people do elsewhere: quartets as 224x224 JPEG files, read by Pillow through a torch `DataLoader`.

Twice: as it is usually written, and at its best: JPEG decoded at half size where that is enough (``draft``), 8-bit
integers until a batch is on its way to the network. Workers live on from epoch to epoch either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from bench.data.loading.batch import Batch
from bench.data.source import Source
from registry.contract import Quartet

PIXELS = 224
_IMAGES = {"bg": "RGB", "bg_fg": "RGB", "mask": "L", "depth": "L"}


def write(folder: Path, source: Source, count: int) -> None:
    """The first training samples of a source as files, quality 90."""
    quartet = source.render("train", torch.arange(count), PIXELS)
    for name, mode in _IMAGES.items():
        pixels = (getattr(quartet, name) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        for i, image in enumerate(pixels):
            Image.fromarray(image if mode == "RGB" else image[..., 0]).save(folder / f"{i:04}_{name}.jpg", quality=90)


class QuartetFiles(Dataset[tuple[Tensor, int]]):
    """Quartets of a folder at a side, each (8, side, side) float32 in [0, 1], with its number."""

    def __init__(self, folder: Path, count: int, side: int) -> None:
        self.folder, self.count, self.side = folder, count, side

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        transform = transforms.Compose([transforms.Resize((self.side, self.side)), transforms.ToTensor()])
        return torch.cat([transform(self._open(i, name).convert(mode)) for name, mode in _IMAGES.items()]), i

    def _open(self, i: int, name: str) -> Image.Image:
        return Image.open(self.folder / f"{i:04}_{name}.jpg")


class FastQuartetFiles(QuartetFiles):
    """The same faster, each (side, side, 8) uint8."""

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        planes = [self._read(i, name, mode).reshape(self.side, self.side, -1) for name, mode in _IMAGES.items()]
        return torch.from_numpy(np.concatenate(planes, axis=2)), i

    def _read(self, i: int, name: str, mode: str) -> np.ndarray:
        with self._open(i, name) as image:
            image.draft(mode, (self.side, self.side))
            return np.asarray(image.resize((self.side, self.side), Image.Resampling.BILINEAR))


WRITTEN = {"usual": QuartetFiles, "best": FastQuartetFiles}


def data_loader(files: QuartetFiles, batch: int, workers: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Shuffled batches of (images, ids)."""
    return DataLoader(
        files,
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        drop_last=True,
        pin_memory=torch.cuda.is_available(),
    )


def quartet_of(images: Tensor) -> Quartet:
    """A batch in either form as float32 in [0, 1]."""
    values = images if images.is_floating_point() else images.permute(0, 3, 1, 2).float().div_(255)
    bg, bg_fg, mask, depth = values.split((3, 3, 1, 1), dim=1)
    return Quartet(bg, bg_fg, mask, depth, torch.ones_like(depth))


def batches(loader: DataLoader[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[Batch]:
    """An epoch in the form in which the project's own steps take it, on the device."""
    for images, ids in loader:
        at = ids.to(device, non_blocking=True)
        yield Batch(ids, at, quartet_of(images.to(device, non_blocking=True)))
