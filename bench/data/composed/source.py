"""Photographs with cut-outs pasted on them on the fly: sample i is a function of (seed, i), nothing is stored."""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from bench.core.errors import BadData, BenchError
from bench.data.camera import cameras
from bench.data.composed.decoded import LARGEST, Backgrounds, Cutouts
from bench.data.composed.depth_maps import read_depths
from bench.data.composed.options import OPTIONS
from bench.data.composed.pasting import canvas_places, composite_depth, paste, pixels_around
from bench.data.composed.videos import refuse_videos
from bench.data.counter_random import uniform
from bench.data.depth_units import DEPTH_UNITS
from bench.data.images.file_names import RULES, counted, group_files
from bench.data.images.files import Cutout, Folder, cutout, photograph, read_folder
from bench.data.kernels.available import fused
from bench.data.source import Source
from bench.data.sources import sources
from bench.data.split import FRACTIONS, POOLS, Part, split_pools
from registry.contract import Quartet

UNITS = ("mm", "kitti", "tum", "m", "8bit", "16bit", "unit")
_SMALLEST = 0.25


class Composed(Source):
    """Objects pasted on photographs.

    An object stands where its lowest row meets the background: its depth is that of the background at this place (the
    median of what is known around it; unknown if nothing is), and never behind what it covers.

    Args:
        bg: folder of photographs; their middle squares are used.
        fg: folder of cut-outs with straight alpha.
        bg_depth: folder of depth maps with the photographs' names; without it the data has no depth.
        depth_unit: one of `UNITS`, see `bench.data.depth_units`.
        seed: decides split and samples.
        camera: a key of `bench.data.camera.cameras`.
        split: a rule of `bench.data.split`.
        empty_share: of the samples without an object.
        scenes: which photographs are of the same scene and so in the same part: each ``file`` its own, numbered files a
            ``sequence``, or ``auto``, the latter if that leaves three scenes.
        objects: the same for cut-outs: ``chair_00`` and ``chair_01`` are the same object under ``sequence``.
        resolution: side to which photographs are decoded; renderings beyond it are blurred.
        skip_bad: go on without the files that cannot be used.

    Attributes:
        notes: what was decided, in sentences.
        warnings: what is likely wrong, in sentences.

    Raises:
        BadData: files that cannot be used, all of them by name; only frames of fewer than three videos.
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
                raise BenchError(f"unknown {name} {value!r}; choose one of: {', '.join(known)}")
        self.seed, self.camera, self.device = seed, cameras.canonical(camera), torch.device("cpu")
        self.has_depth, self.empty_share = bg_depth is not None, empty_share
        self.encoding = DEPTH_UNITS[depth_unit].encoding if self.has_depth else "none"
        alike = depth_unit != "mm" and self.encoding == DEPTH_UNITS["mm"].encoding
        self._unit = {"depth_unit": depth_unit} if alike else {}  # the encoding alone does not tell it
        self._resolution = resolution

        photographs = read_folder(Path(bg), "photographs", lambda _, content, __: photograph(content, resolution))
        cutouts = read_folder(Path(fg), "cut-outs", lambda _, content, __: cutout(content, resolution))
        folders: list[Folder[Any]] = [photographs, cutouts]
        depths: Folder[Tensor] | None = None
        if bg_depth is not None:
            depths, suspicion = read_depths(Path(bg_depth), depth_unit, photographs, resolution)
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
        self._contents = [photographs.contents[stem] for stem in stems], list(cutouts.contents.values())
        self._names = [photographs.names[stem] for stem in stems], list(cutouts.names.values())
        scene = self._group("scenes", [(stem, photographs.contents[stem]) for stem in stems], scenes, "photographs")
        item = self._group("objects", list(cutouts.contents.items()), objects, "cut-outs")
        self._rules = {"scenes": scene[1], "objects": item[1]}
        if scenes == "auto" and scene[1] == "file" and split != "shared":
            refuse_videos(self._backgrounds.photographs, stems)
        self._split_groups(scene, item, split)
        self._at_size: dict[int, tuple[Backgrounds, Cutouts]] = {}

    def _group(self, name: str, files: Sequence[tuple[str, str]], rule: str, what: str) -> tuple[list[str], str]:
        """The group of each file, given by name and digest, and the rule that was used; notes what was decided."""
        groups, used, notes = group_files([stem for stem, _ in files], [content for _, content in files], rule, what)
        other = {"sequence": "file", "file": "sequence"}[used]
        self.notes += tuple(f"{note} (--{name} {other} for the other way)" for note in notes[:1] if rule == "auto")
        self.notes += tuple(notes[1:] if rule == "auto" else notes)
        return groups, used

    def _split_groups(self, scenes: tuple[list[str], str], items: tuple[list[str], str], split: str) -> None:
        scene, objects = scenes[0], items[0]
        ways = (
            f"--{name} file takes each {what} for one of its own" * (rule == "sequence")
            for name, what, rule in (("scenes", "photograph", scenes[1]), ("objects", "cut-out", items[1]))
        )
        self.split = split_pools(
            {"background": Counter(scene), "object": Counter(objects)},
            self.seed,
            split,
            {"background": "background scenes", "object": "cut-outs"},
            dict(zip(POOLS, ways, strict=True)),
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
            **self._unit,
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

    def shown(self, part: Part, ids: Tensor) -> dict[str, list[str]]:
        """Digests of its photograph and of its cut-out."""
        return self._of_each(self._contents, part, ids)

    def file_names(self, part: Part, ids: Tensor) -> dict[str, list[str]]:
        """Its photograph and its cut-out, without folders."""
        return self._of_each(self._names, part, ids)

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
        """Photographs without and with an object, its alpha, and depth where depth maps were given."""
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

        foot = cutouts.foot[item]
        foot = corner + box * torch.stack([torch.where(flipped, 1 - foot[:, 0], foot[:, 0]), foot[:, 1]], dim=1)
        empty = self.empty(part, ids)
        with fused(backgrounds.photographs, "compositions") as by_kernel:
            if by_kernel:
                canvas, first, slope = canvas_places(cutouts, item, longer, corner, box, flipped)
                shown = torch.ones_like(longer) if empty is None else (~empty).float()
                places = torch.cat([first, slope, shown[:, None]], dim=1)
                return _compose(backgrounds, background, cutouts, canvas, places, foot)
        pasted = paste(cutouts, item, longer, corner, box, flipped, size)
        if empty is not None:
            pasted = torch.where(empty[:, None, None, None], 0.0, pasted)
        alpha = pasted[:, 3:]
        bg = backgrounds.photographs[background].float().mul_(1 / 255)
        bg_fg = (bg * (1 - alpha)).add_(pasted[:, :3]).clamp_(0, 1)
        if backgrounds.depths is None:
            return Quartet(bg, bg_fg, alpha)
        depth, valid = composite_depth(backgrounds.depths[background], foot, alpha[:, 0])
        return Quartet(bg, bg_fg, alpha, depth[:, None], valid[:, None])

    def _of_each(self, known: tuple[list[str], list[str]], part: Part, ids: Tensor) -> dict[str, list[str]]:
        """What is known of the photograph and of the cut-out of each sample."""
        what = zip(("background", "object"), known, self._choose(part, ids.to(self.device)), strict=True)
        return {name: [texts[number] for number in numbers.tolist()] for name, texts, numbers in what}

    def _choose(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Photograph and cut-out of each sample, (B,) int64 each."""
        u = uniform(self.seed, f"{self.stream(part)}/choose", ids, 2)
        background, item = (pool[(u[:, i].double() * len(pool)).long()] for i, pool in enumerate(self._pools[part]))
        return background, item


@sources.register(options=OPTIONS)
def composed(**options: Any) -> Source:
    """Cut-outs pasted on photographs, with depth where depth maps were given."""
    return Composed(**options)


def _compose(
    backgrounds: Backgrounds, background: Tensor, cutouts: Cutouts, canvas: Tensor, places: Tensor, foot: Tensor
) -> Quartet:
    """What `Composed.scenes` returns, in one kernel."""
    from bench.data.kernels.compositions import compose

    photographs, depths = backgrounds.photographs, backgrounds.depths
    around = None if depths is None else pixels_around(foot, depths.shape[-1])
    return Quartet(*compose(photographs, background, cutouts.canvases, canvas, places, depths, around))


def _numbers(names: list[str]) -> Tensor:
    """The place of each name in the sorted list of different names."""
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    return torch.tensor([order[name] for name in names])
