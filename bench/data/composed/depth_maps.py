"""Depth maps of photographs: read from a folder, matched by name; their unit is doubted where it looks wrong."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from bench.data.depth_units import DEPTH_UNITS, DepthFacts, Numbers, doubt
from bench.data.images.files import DEPTH_SUFFIXES, Folder, depth_map, read_folder
from bench.data.stored.decoding.numbers import numbers_of


def read_depths(
    folder: Path, unit: str, photographs: Folder[tuple[Tensor, tuple[int, int]]], side: int
) -> tuple[Folder[Tensor], str | None]:
    """Depth maps of the photographs, and why their unit seems wrong.

    A photograph without a map is a problem, a map without a photograph is not used.
    """
    numbers: list[Numbers] = []

    def decode(stem: str, content: bytes, name: str) -> Tensor | None:
        """A photograph's depth, (1, H, W); None where no photograph has this name."""
        if stem not in photographs.images:
            numbers_of(content, name)  # so that all bad files are named at once
            return None
        depth, some = depth_map(content, name, DEPTH_UNITS[unit], photographs.images[stem][1], side)
        numbers.append(some)
        return depth

    found = read_folder(folder, "depth maps", decode, DEPTH_SUFFIXES)
    maps = {stem: depth for stem, depth in found.images.items() if depth is not None}
    kind = {"8bit": "u1", "m": "f4", "unit": "f4"}.get(unit, "u2")
    suspicion = doubt(DepthFacts.of(numbers, kind), DEPTH_UNITS[unit], guessed=False) if numbers else None
    bad = {Path(name).stem for name, _ in found.problems}
    missing = [
        (str(folder / f"{stem}.png"), "missing: a photograph of that name has no depth map")
        for stem in photographs.images
        if stem not in maps and stem not in bad
    ]
    return Folder(
        maps, found.contents, found.names, [*found.problems, *missing], found.digest, found.ignored
    ), suspicion
