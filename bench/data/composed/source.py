"""Photographs with cut-outs pasted on them on the fly: sample i is a function of (seed, i), nothing is stored."""

from __future__ import annotations

import copy
import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import Any, Self

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BadData, BenchError
from bench.data.cameras import cameras
from bench.data.composed.decoded import LARGEST, Backgrounds, Cutouts
from bench.data.composed.options import OPTIONS
from bench.data.counter_random import uniform
from bench.data.image_files import DEPTH_UNITS, Cutout, Folder, cutout, depth_map, photograph, read_folder
from bench.data.source import Source
from bench.data.sources import sources
from bench.data.split import FRACTIONS, POOLS, Part, split_pools
from registry.contract import Quartet

SCENES = ("auto", "file", "sequence")
_SMALLEST = 0.25
_ENOUGH_SCENES = 3
_FOOT_TAPS, _FOOT_REACH = 5, 0.02


def scene_of(stem: str) -> str:
    """The video a numbered frame is of: the name without the number at its end."""
    return re.sub(r"[\s_.-]*\d+$", "", stem)


class Composed(Source):
    """Objects pasted on photographs.

    An object stands where its lowest row meets the background: its depth is the background's there (the median of
    what is known around that place; unknown if nothing is), and never behind what it covers.

    Args:
        bg: folder of photographs (jpg, png); their middle squares are used.
        fg: folder of cut-outs with straight alpha (png).
        bg_depth: folder of depth maps (png) with the photographs' names; without it there is no depth.
        depth_unit: a key of `DEPTH_UNITS`.
        seed: decides split and samples.
        camera: a key of `bench.data.camera.cameras`.
        split: a rule of `bench.data.split`.
        scenes: which photographs are of one scene and so in one part: each ``file`` its own, numbered files one
            ``sequence``, or ``auto``, the latter if that leaves three scenes.
        resolution: side to which photographs are decoded; renderings beyond it are blurred.
        skip_bad: go on without the files that cannot be used.

    Raises:
        BadData: files that cannot be used, all of them by name.
        BenchError: an unknown camera, split, unit or scene rule.
    """

    kind = "composed"
    version = 1

    def __init__(
        self,
        bg: str | Path,
        fg: str | Path,
        bg_depth: str | Path | None = None,
        depth_unit: str = "mm",
        seed: int = 0,
        camera: str = "handheld",
        split: str = "unseen-both",
        scenes: str = "auto",
        resolution: int = 256,
        skip_bad: bool = False,
    ) -> None:
        for name, value, known in (("depth_unit", depth_unit, DEPTH_UNITS), ("scenes", scenes, SCENES)):
            if value not in known:
                raise BenchError(f"unknown {name} {value!r}; there are: {', '.join(known)}")
        self.seed, self.camera, self.device = seed, cameras.canonical(camera), torch.device("cpu")
        self.has_depth = bg_depth is not None
        self.encoding = DEPTH_UNITS[depth_unit].encoding if self.has_depth else "none"
        self._resolution = resolution

        photographs = read_folder(Path(bg), "photographs", lambda _, image: photograph(image, resolution))
        cutouts = read_folder(Path(fg), "cut-outs", lambda _, image: cutout(image, resolution))
        folders: list[Folder[Any]] = [photographs, cutouts]
        depths: Folder[Tensor] | None = None
        if bg_depth is not None:
            depths = _read_depths(Path(bg_depth), depth_unit, photographs, resolution)
            folders.append(depths)
        problems = [problem for folder in folders for problem in folder.problems]
        if problems and not skip_bad:
            raise BadData(problems, "mend them, or go on without them: --skip-bad")
        self._skipped = len(problems)
        self._digest = hashlib.sha256("/".join(folder.digest for folder in folders).encode()).hexdigest()

        stems = sorted(photographs.images if depths is None else depths.images)
        for found, folder in ((stems, bg), (cutouts.images, fg)):
            if not found:
                raise BadData([*problems, (str(folder), "no usable file is left")])
        self._backgrounds = Backgrounds(
            torch.stack([photographs.images[stem][0] for stem in stems]),
            None if depths is None else torch.stack([depths.images[stem] for stem in stems]),
        )
        self._cutouts: list[Cutout] = list(cutouts.images.values())
        self._split_groups(stems, list(cutouts.images), scenes, split)
        self._at_size: dict[int, tuple[Backgrounds, Cutouts]] = {}

    def _split_groups(self, backgrounds: list[str], objects: list[str], scenes: str, split: str) -> None:
        sequences = {scene_of(stem) for stem in backgrounds}
        if scenes == "auto":
            scenes = "sequence" if len(sequences) >= _ENOUGH_SCENES else "file"
        self._scenes = scenes
        scene = [scene_of(stem) if scenes == "sequence" else stem for stem in backgrounds]
        self.split = split_pools(
            {"background": Counter(scene), "object": Counter(objects)},
            self.seed,
            split,
            {"background": "background scenes", "object": "cut-outs"},
        )
        self._groups = tuple(_numbers(names) for names in (scene, objects))
        self._pools = {
            part: tuple(
                torch.tensor([i for i, name in enumerate(names) if name in self.split.pools[pool].groups[part]])
                for pool, names in zip(POOLS, (scene, objects), strict=True)
            )
            for part in FRACTIONS
        }

    def describe(self) -> dict[str, Any]:
        """Parameters, digest of the files, and how many of what each part has."""
        return {
            "kind": self.kind,
            "version": self.version,
            "seed": self.seed,
            "camera": self.camera,
            **self.split.describe(),
            "encoding": self.encoding,
            "resolution": self._resolution,
            "content": self._digest,
            "skipped": self._skipped,
            "scenes": self._scenes,
            "parts": {
                part: {
                    "scenes": len(self.split.pools["background"].groups[part]),
                    "backgrounds": len(self._pools[part][0]),
                    "objects": len(self._pools[part][1]),
                }
                for part in FRACTIONS
            },
        }

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Scene and object of each sample."""
        background, item = self._choose(part, ids.to(self.device))
        return self._groups[0][background], self._groups[1][item]

    def to(self, device: torch.device | str) -> Self:
        """The same quartets, composed on another device."""
        moved = copy.copy(self)
        moved.device = torch.device(device)
        moved._backgrounds = self._backgrounds.to(device)
        moved._groups = tuple(numbers.to(device) for numbers in self._groups)
        moved._pools = {part: tuple(pool.to(device) for pool in pools) for part, pools in self._pools.items()}
        moved._at_size = {}
        return moved

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """Photographs without and with an object, its alpha, and depth if there are depth maps."""
        if size not in self._at_size:
            self._at_size[size] = (self._backgrounds.at(size), Cutouts.of(self._cutouts, size, self.device))
        backgrounds, cutouts = self._at_size[size]
        background, item = self._choose(part, ids)
        u = uniform(self.seed, f"{self.stream(part)}/paste", ids, 4)
        longer = _SMALLEST + u[:, 0] * (LARGEST - _SMALLEST)
        box = cutouts.shape[item] * longer[:, None]
        left = u[:, 1] * (1 - box[:, 0])
        highest = box[:, 1].clamp(min=0.5)
        bottom = highest + u[:, 2] * (1 - highest)
        corner = torch.stack([left, bottom - box[:, 1]], dim=1)
        flipped = u[:, 3] < 0.5

        pasted = _paste(cutouts, item, longer, corner, box, flipped, size)
        alpha = pasted[:, 3:]
        bg = backgrounds.photographs[background].float().mul_(1 / 255)
        bg_fg = (bg * (1 - alpha)).add_(pasted[:, :3]).clamp_(0, 1)
        if backgrounds.depths is None:
            return Quartet(bg, bg_fg, alpha)
        foot = cutouts.foot[item]
        foot = corner + box * torch.stack([torch.where(flipped, 1 - foot[:, 0], foot[:, 0]), foot[:, 1]], dim=1)
        depth, valid = _composite_depth(backgrounds.depths[background], foot, alpha[:, 0])
        return Quartet(bg, bg_fg, alpha, depth[:, None], valid[:, None])

    def _choose(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Photograph and cut-out of each sample, (B,) int64 each."""
        u = uniform(self.seed, f"{self.stream(part)}/choose", ids, 2)
        background, item = (pool[(u[:, i].double() * len(pool)).long()] for i, pool in enumerate(self._pools[part]))
        return background, item


@sources.register(options=OPTIONS)
def composed(**options: Any) -> Source:
    """Cut-outs pasted on photographs, with depth where there are depth maps."""
    return Composed(**options)


def _numbers(names: list[str]) -> Tensor:
    """The place of each name in the sorted list of different names."""
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    return torch.tensor([order[name] for name in names])


def _read_depths(
    folder: Path, unit: str, photographs: Folder[tuple[Tensor, tuple[int, int]]], side: int
) -> Folder[Tensor]:
    """Depth maps of the photographs; a photograph without one is a problem, a map without photograph is not used."""

    def decode(stem: str, image: Image.Image) -> Tensor | None:
        if stem not in photographs.images:
            return None
        return depth_map(image, DEPTH_UNITS[unit], photographs.images[stem][1], side)

    found = read_folder(folder, "depth maps", decode)
    maps = {stem: depth for stem, depth in found.images.items() if depth is not None}
    bad = {Path(name).stem for name, _ in found.problems}
    missing = [
        (str(folder / f"{stem}.png"), "missing: a photograph of that name has no depth map")
        for stem in photographs.images
        if stem not in maps and stem not in bad
    ]
    return Folder(maps, [*found.problems, *missing], found.digest)


def _paste(
    cutouts: Cutouts, item: Tensor, longer: Tensor, corner: Tensor, box: Tensor, flipped: Tensor, size: int
) -> Tensor:
    """Objects in their boxes on nothing, premultiplied, (B, 4, size, size).

    Args:
        cutouts: decoded for that size.
        item: which, (B,).
        longer: length of the longer side, (B,); this and what follows in fractions of the picture.
        corner, box: upper left corner and extent of the box, (B, 2) each, right and down.
        flipped: left for right, (B,) bool.
        size: side of the picture.
    """
    level = (2 * torch.log2(LARGEST / longer.double())).long().clamp(0, cutouts.levels - 1)
    row = item * cutouts.levels + level
    canvas = cutouts.canvases[row].float()
    # From picture to canvas coordinates, per axis: at = first + slope * picture.
    centre = (torch.arange(size, device=item.device) + 0.5) / size
    slope = cutouts.extent[row] / box
    first = -corner * slope
    mirror = torch.stack([flipped, torch.zeros_like(flipped)], dim=1)
    first = torch.where(mirror, cutouts.extent[row] - first, first) + cutouts.gutter
    slope = torch.where(mirror, -slope, slope)
    at = (first[:, :, None] + slope[:, :, None] * centre) * (2 / canvas.shape[-1]) - 1
    grid = torch.stack([at[:, 0, None, :].expand(-1, size, -1), at[:, 1, :, None].expand(-1, -1, size)], dim=-1)
    return functional.grid_sample(canvas, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _composite_depth(depths: Tensor, foot: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Depth of the composite and where it is known, (B, H, W) each.

    Args:
        depths: of the background, (B, H, W) in [0, 1], -1 where unknown.
        foot: where the object stands, (B, 2) in fractions of the picture, right and down.
        alpha: of the object, (B, H, W).
    """
    batch, side = depths.shape[:2]
    offsets = torch.linspace(-_FOOT_REACH, _FOOT_REACH, _FOOT_TAPS, device=foot.device)
    x, y = (((foot[:, axis, None] + offsets) * side - 0.5 * axis).long().clamp(0, side - 1) for axis in (0, 1))
    rows = torch.arange(batch, device=foot.device)[:, None, None]
    around = depths[rows, y[:, :, None], x[:, None, :]].flatten(1)
    known = around >= 0
    ordered = torch.where(known, around, torch.inf).sort(dim=1).values
    count = known.sum(1)
    stands = ordered.gather(1, ((count - 1) // 2).clamp(min=0)[:, None])[:, :, None]
    behind = torch.where(depths < 0, torch.inf, depths)
    depth = torch.where(alpha > 0.5, torch.minimum(stands, behind), behind)
    valid = torch.where(alpha > 0.5, stands < torch.inf, depths >= 0)
    return torch.where(valid, depth, 0.0), valid.float()
