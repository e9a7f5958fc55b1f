"""The source ``stored``: quartets that lie in folders and zips, served as they are."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress
from bench.data.camera import cameras
from bench.data.source import OwnPack, Source
from bench.data.sources import sources
from bench.data.split import Part
from bench.data.stored.catalogue import Catalogue
from bench.data.stored.decoding.depth_codes import decode_depth
from bench.data.stored.decoding.file_options import FileOptions, parse_range
from bench.data.stored.decoding.images import open_image
from bench.data.stored.opening import open_quartets
from bench.data.stored.options import OPTIONS, PACKED
from bench.data.stored.packing.checking import CHECKED
from bench.data.stored.packing.pack import Array, Pack, Rows
from bench.data.stored.packing.reader import Reader
from bench.data.stored.packing.readers import WORTH_PACKING, Readers
from bench.data.stored.parts import Parts, share_out
from bench.data.stored.quartet_set import VERSION
from bench.data.stored.remarks import decisions, mask_doubt, picture_doubt, plate_doubt
from registry.contract import Quartet


class Stored(Source):
    """Quartets in files.

    Args:
        root: a folder or zip, or several.
        files: a key of `LAYOUTS`, patterns, or ``auto``.
        fit, foreground, soft_masks, mask_values: see `DecodeOptions`; mask values as text, see `MaskValues.parse`.
        depth_unit, depth_scale, depth_range, colormap: see `find_depth_format`.
        flips: how mirrored objects are numbered, see `mirrored`.
        scenes: what pictures without a background's name have in common: ``auto``, ``file``, ``sequence``.
        plate: ``median`` makes a background from every ``plate_every``-th picture of a scene.
        plate_every: see plate.
        depth_model: a teacher that predicts depth, see `load_teacher`.
        seed: decides the split.
        camera: a key of `bench.data.camera.cameras`; ``still`` serves what is stored.
        split: a rule of `split_pools`.
        skip_bad: go on without quartets that cannot be used.
        packed: a folder in which decoded quartets are kept; None for nowhere.
        progress: called while files are listed, checked, and given depth.

    Attributes:
        notes: what was decided, in sentences.
        warnings: what is likely wrong with depth and with photographs, in sentences.
        mask_warnings: and with masks.
        group_warnings: and with groups.
        worth_packing: fewer quartets are decoded anew in every run.
        checked: of more quartets, files are decoded when they are needed, not before.

    Raises:
        BadData: files that cannot be used, all of them by name; too few groups.
        BenchError: a word that means nothing.
    """

    kind = "stored"
    version = VERSION
    worth_packing, checked = WORTH_PACKING, CHECKED

    def __init__(
        self,
        root: str | Path | Sequence[str | Path],
        files: str = "auto",
        fit: str = "crop",
        foreground: str = "white",
        soft_masks: bool = False,
        mask_values: str | None = None,
        depth_unit: str = "auto",
        depth_scale: float | None = None,
        depth_range: str | tuple[float, float] | None = None,
        colormap: str | None = None,
        flips: str = "none",
        scenes: str = "auto",
        plate: str = "none",
        plate_every: int = 10,
        depth_model: str | None = None,
        seed: int = 0,
        camera: str = "still",
        split: str = "unseen-both",
        skip_bad: bool = False,
        packed: str | Path | None = PACKED,
        progress: Progress = no_progress,
    ) -> None:
        options = FileOptions(
            fit, foreground, soft_masks, mask_values, depth_unit, depth_scale, parse_range(depth_range), colormap
        )
        options.check(flips, scenes)
        if plate not in ("none", "median") or plate_every < 1:
            raise BenchError(
                f"--plate is none or median (of every 1st, 2nd ... picture), not {plate!r} of {plate_every}"
            )
        self.seed, self.camera, self.device = seed, cameras.canonical(camera), torch.device("cpu")
        folder = None if packed is None else Path(packed)
        self._quartets = open_quartets(
            [root] if isinstance(root, str | Path) else list(root),
            files,
            options,
            flips,
            scenes,
            plate,
            plate_every,
            depth_model,
            skip_bad,
            folder,
            self.worth_packing,
            self.checked,
            progress,
        )
        self._readers = Readers(self._quartets, folder, self.worth_packing)
        self._parts: Parts = share_out(self._quartets.entries, seed, split, self.catalogue.way)
        self.names_objects, self.group_warnings = self._parts.names_objects, tuple(self.catalogue.doubts)
        self.has_mask, self.has_depth = ("mask" in self._quartets.fields, "depth" in self._quartets.fields)
        self.has_background = bool((self._quartets.background >= 0).all())
        self.encoding, self.skipped = self._quartets.encoding, self._quartets.skipped
        self.notes = (*self.catalogue.notes, *self._parts.notes(), *decisions(self._quartets))
        depth = self._quartets.depth
        quartets, depth_doubt = self._quartets, "" if depth is None else depth.warning
        self.warnings = tuple(filter(None, [depth_doubt, plate_doubt(quartets), picture_doubt(quartets)]))
        self.mask_warnings = tuple(filter(None, [mask_doubt(quartets)]))

    def describe(self) -> dict[str, Any]:
        """How files are read, a digest of their content, and how many quartets each part has."""
        quartets = self._quartets
        decoding = quartets.decoding
        return {
            "kind": self.kind,
            "version": self.version,
            "seed": self.seed,
            "camera": self.camera,
            **self._parts.describe(),
            "encoding": self.encoding,
            **({} if quartets.depth is None else quartets.depth.choice()),
            **quartets.grouping,
            **{name: value for name, value in quartets.options.items() if value != _DEFAULTS.get(name)},
            "fit": decoding.fit,
            "masks": str(decoding.values) if decoding.values else decoding.foreground + " soft" * decoding.soft,
            "fields": sorted(quartets.fields),
            "content": quartets.content,
            "skipped": len(self.skipped),
            **({"teacher": quartets.maps.teacher.description} if quartets.maps is not None else {}),
        }

    def facts(self) -> dict[str, Any]:
        """Of depth, how it is read, too."""
        found = super().facts()
        if self._quartets.depth is not None:
            found["depth"] = self._quartets.depth.facts()
        return found

    def count(self, part: Part) -> int:
        """Quartets of a part; ids beyond begin anew."""
        return len(self._parts.rows[part])

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Background and object group of each sample; of quartets whose objects have no names, the background twice."""
        rows = torch.from_numpy(self.rows(part, ids))
        return tuple(torch.from_numpy(numbers)[rows].to(self.device) for numbers in self._parts.groups)  # type: ignore[return-value]

    def shown(self, part: Part, ids: Tensor) -> dict[str, list[str]]:
        """Lengths and checksums of its picture and of its background's file; nothing of sets too large to be read."""
        quartets = self._quartets
        if len(quartets.entries) > self.checked:
            return {}
        entries, roots = [quartets.entries[row] for row in self.rows(part, ids)], self.catalogue.roots
        found = {"picture": [roots.name_of_content(entry.image) for entry in entries]}
        if "bg" in quartets.fields:
            plates = [entry.partners.get("bg") for entry in entries]
            found["background"] = ["" if plate is None else roots.name_of_content(plate) for plate in plates]
        return found

    def file_names(self, part: Part, ids: Tensor) -> dict[str, list[str]]:
        """Its background's file, and its picture as that of the object; the picture twice without backgrounds."""
        entries, label = [self._quartets.entries[row] for row in self.rows(part, ids)], self.catalogue.roots.label
        return {
            "background": [label(entry.partners.get("bg", entry.image)) for entry in entries],
            "object": [label(entry.image) for entry in entries],
        }

    def to(self, device: torch.device | str) -> Self:
        """The same quartets, decoded here and served on another device."""
        moved = copy.copy(self)
        moved.device = torch.device(device)
        return moved

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """The quartets as they are stored."""
        planes = self._readers.serving(size).planes(self.rows(part, ids))
        bg = self._picture(planes["bg"]) if "bg" in planes else None
        quartet = Quartet(bg, self._picture(planes["bg_fg"]))
        if "mask" in planes:
            quartet.mask = self._plane(planes["mask"]).float().div_(255)
        if "mask_valid" in planes:
            quartet.mask_valid = self._plane(planes["mask_valid"]).float()
        if "depth" in planes:
            values, known = decode_depth(planes["depth"])
            quartet.depth, quartet.valid = self._plane(values), self._plane(known)
        return quartet

    def reader(self, size: int) -> Reader:
        """What decodes at a size; kept."""
        return self._readers.at(size)

    def pack(self, size: int, progress: Progress = no_progress) -> Pack:
        """Decode everything into the pack of a size, or what it lacks; verified as a whole.

        Raises:
            BadData: files that cannot be used; the source changed meanwhile.
            BenchError: no folder for packs was given, or it cannot be written.
        """
        return self._readers.fill(size, progress)

    def check_unchanged(self) -> None:
        """Refuse to go on when files came, went or changed since they were listed.

        Raises:
            BadData: they did.
        """
        self._quartets.check_unchanged()

    def own_pack(self, size: int) -> OwnPack:
        """Sets too large to be decoded before training begins fill their pack as it goes on."""
        pack = self.reader(size).pack
        if pack is None or not (pack.is_writable or pack.is_complete):
            return "none"
        return "whole" if len(self._quartets.entries) <= self.checked or pack.is_complete else "growing"

    @property
    def catalogue(self) -> Catalogue:
        """Which files make which quartet."""
        return self._quartets.catalogue

    @property
    def ignored(self) -> dict[str, int]:
        """How many files are not read, by suffix."""
        return dict(self.catalogue.roots.ignored)

    def picture_sizes(self, most: int = 256) -> dict[str, int]:
        """How many of some pictures have which width x height, upright."""
        found: dict[str, int] = {}
        entries = self._quartets.entries
        for entry in entries[:: max(1, len(entries) // most)]:
            width, height = open_image(self.catalogue.roots.read(entry.image)).size
            found[f"{width}x{height}"] = found.get(f"{width}x{height}", 0) + 1
        return found

    def rows(self, part: Part, ids: Tensor) -> Rows:
        """Which quartets of the catalogue samples are, (B,) int64."""
        self.stream(part)  # refuses an unknown part
        rows = self._parts.rows[part]
        chosen: Rows = rows[ids.cpu().numpy() % len(rows)]
        return chosen

    def _picture(self, pixels: Array) -> Tensor:
        """(B, S, S, 3) uint8 to (B, 3, S, S) float32 in [0, 1]."""
        return torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float().div_(255)

    def _plane(self, values: Array) -> Tensor:
        return torch.from_numpy(values).to(self.device)[:, None]


@sources.register(options=OPTIONS, reports_progress=True)
def stored(**options: Any) -> Source:
    """Quartets in folders and zips, as they are; a field may be missing."""
    return Stored(**options)


_DEFAULTS = {"flips": "none", "plate": "none", "plate_every": 10}
