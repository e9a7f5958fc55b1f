"""Photographs with cut-outs pasted on them on the fly: sample i is a function of (seed, i), nothing is stored."""

from __future__ import annotations

import copy
import hashlib
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BadData, BenchError
from bench.data.camera import cameras
from bench.data.composed.decoded import LARGEST, Backgrounds, Cutouts
from bench.data.composed.options import OPTIONS
from bench.data.counter_random import uniform
from bench.data.depth_units import DEPTH_UNITS, DepthFacts, Numbers, doubt
from bench.data.images.file_names import RULES, counted, decide, sequences
from bench.data.images.files import DEPTH_SUFFIXES, Cutout, Folder, cutout, depth_map, photograph, read_folder
from bench.data.images.similarity import difference_hash
from bench.data.source import Source
from bench.data.sources import sources
from bench.data.split import FRACTIONS, POOLS, Part, split_pools
from bench.data.stored.decoding.numbers import numbers_of
from registry.contract import Quartet

UNITS = ("mm", "kitti", "tum", "m", "8bit", "16bit", "unit")
_SMALLEST = 0.25
_FOOT_TAPS, _FOOT_REACH = 5, 0.02
_ALIKE = 8
"""Bits of 64 in which frames of one video differ from the next, at most (median); photographs differ in 32."""


class Composed(Source):
    """Objects pasted on photographs.

    An object stands where its lowest row meets the background: its depth is the background's there (the median of
    what is known around that place; unknown if nothing is), and never behind what it covers.

    Args:
        bg: folder of photographs; their middle squares are used.
        fg: folder of cut-outs with straight alpha.
        bg_depth: folder of depth maps with the photographs' names; without it there is no depth.
        depth_unit: one of `UNITS`, see `bench.data.depth_units`.
        seed: decides split and samples.
        camera: a key of `bench.data.camera.cameras`.
        split: a rule of `bench.data.split`.
        empty_share: of the samples without an object.
        scenes: which photographs are of one scene and so in one part: each ``file`` its own, numbered files one
            ``sequence``, or ``auto``, the latter if that leaves three scenes.
        objects: the same for cut-outs: ``chair_00`` and ``chair_01`` are one object under ``sequence``.
        resolution: side to which photographs are decoded; renderings beyond it are blurred.
        skip_bad: go on without the files that cannot be used.

    Attributes:
        notes: what was decided, in sentences.
        warnings: what is likely wrong, in sentences.

    Raises:
        BadData: files that cannot be used, all of them by name; fewer than three videos and nothing else.
        BenchError: an unknown camera, split, unit or scene rule.
    """

    kind = "composed"
    version = 2

    def __init__(
        self,
        bg: str | Path,
        fg: str | Path,
        bg_depth: str | Path | None = None,
        depth_unit: str = "mm",
        seed: int = 0,
        camera: str = "handheld",
        split: str = "unseen-both",
        empty_share: float = 0.0,
        scenes: str = "auto",
        objects: str = "auto",
        resolution: int = 256,
        skip_bad: bool = False,
    ) -> None:
        for name, value, known in (
            ("depth_unit", depth_unit, UNITS),
            ("scenes", scenes, RULES),
            ("objects", objects, RULES),
        ):
            if value not in known:
                raise BenchError(f"unknown {name} {value!r}; there are: {', '.join(known)}")
        self.seed, self.camera, self.device = seed, cameras.canonical(camera), torch.device("cpu")
        self.has_depth, self.empty_share = bg_depth is not None, empty_share
        self.encoding = DEPTH_UNITS[depth_unit].encoding if self.has_depth else "none"
        self._resolution = resolution

        photographs = read_folder(Path(bg), "photographs", lambda _, content, __: photograph(content, resolution))
        cutouts = read_folder(Path(fg), "cut-outs", lambda _, content, __: cutout(content, resolution))
        folders: list[Folder[Any]] = [photographs, cutouts]
        depths: Folder[Tensor] | None = None
        if bg_depth is not None:
            depths, suspicion = _read_depths(Path(bg_depth), depth_unit, photographs, resolution)
            folders.append(depths)
            self.warnings += (suspicion,) if suspicion else ()
        for folder, option in zip(folders, ("--bg", "--fg", "--bg-depth"), strict=False):
            if folder.ignored:
                self.notes += (f"{option}: {counted(folder.ignored)} not looked at",)
        problems = [problem for folder in folders for problem in folder.problems]
        if problems and not skip_bad:
            raise BadData(problems, "mend them, or go on without them: --skip-bad")
        self._skipped = len(problems)
        self._digest = hashlib.sha256("/".join(folder.digest for folder in folders).encode()).hexdigest()

        stems = sorted(photographs.images if depths is None else depths.images)
        for found, path in ((stems, bg), (list(cutouts.images), fg)):
            if not found:
                raise BadData([*problems, (str(path), "no usable file is left")])
        self._backgrounds = Backgrounds(
            torch.stack([photographs.images[stem][0] for stem in stems]),
            None if depths is None else torch.stack([depths.images[stem] for stem in stems]),
        )
        self._cutouts: list[Cutout] = list(cutouts.images.values())
        scene = self._group("scenes", [(stem, photographs.contents[stem]) for stem in stems], scenes, "photographs")
        item = self._group("objects", list(cutouts.contents.items()), objects, "cut-outs")
        self._rules = {"scenes": scene[1], "objects": item[1]}
        if scenes == "auto" and scene[1] == "file" and split != "shared":
            self._refuse_videos(stems)
        self._split_groups(scene[0], item[0], split)
        self._at_size: dict[int, tuple[Backgrounds, Cutouts]] = {}

    def _group(self, name: str, files: Sequence[tuple[str, str]], rule: str, what: str) -> tuple[list[str], str]:
        """The group of each file, given by name and digest, and the rule that was used; notes what was decided."""
        groups, used, notes = decide([stem for stem, _ in files], [content for _, content in files], rule, what)
        other = {"sequence": "file", "file": "sequence"}[used]
        self.notes += tuple(f"{note} (--{name} {other} for the other way)" for note in notes[:1] if rule == "auto")
        self.notes += tuple(notes[1:] if rule == "auto" else notes)
        return groups, used

    def _refuse_videos(self, stems: list[str]) -> None:
        """Frames of fewer than three videos cannot be split so that test scenes are new.

        Raises:
            BadData: numbered neighbours look alike.
        """
        numbered = sequences(stems)
        hashes = difference_hash(self._backgrounds.photographs.float() / 255)
        apart = [
            int(np.bitwise_count(hashes[i] ^ hashes[i + 1]))
            for i in range(len(stems) - 1)
            if numbered[i] == numbered[i + 1]
        ]
        if len(apart) < max(2, len(stems) // 2):
            return
        usual = statistics.median(apart)
        if usual <= _ALIKE:
            reason = (
                f"{len(stems)} frames of {len(set(numbered))} videos (neighbours differ in {usual:g} of 64 bits of a "
                "perceptual hash): a split whose test scenes are new needs three videos"
            )
            raise BadData([("photographs", reason)], "add videos, or take each for a scene: --scenes file, which leaks")

    def _split_groups(self, scene: list[str], objects: list[str], split: str) -> None:
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
            **({"empty_share": self.empty_share} if self.empty_share else {}),
            **self._rules,
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
        empty = self.empty(part, ids)
        if empty is not None:
            pasted = torch.where(empty[:, None, None, None], 0.0, pasted)
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
) -> tuple[Folder[Tensor], str | None]:
    """Depth maps of the photographs, and why their unit seems wrong.

    A photograph without a map is a problem, a map without a photograph is not used.
    """
    numbers: list[Numbers] = []

    def decode(stem: str, content: bytes, name: str) -> Tensor | None:
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
    return Folder(maps, found.contents, [*found.problems, *missing], found.digest, found.ignored), suspicion


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
