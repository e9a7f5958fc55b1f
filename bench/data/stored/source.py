"""The source ``stored``: quartets that lie in folders and zips, served as they are."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import __version__ as pillow_version
from torch import Tensor

from bench.core.errors import BadData, BenchError
from bench.core.progress import Progress, no_progress
from bench.data.camera.condition import find_camera
from bench.data.source import OwnPack, Source
from bench.data.sources import sources
from bench.data.split import Part
from bench.data.stored import decode
from bench.data.stored.catalogue import Catalogue, read_catalogue
from bench.data.stored.checking import CHECK_SIZE, CHECKED, BadRows, check_files
from bench.data.stored.decode import DecodeOptions, decode_depth
from bench.data.stored.depth_reading import DepthReading, read_depth
from bench.data.stored.mask_values import MaskValues
from bench.data.stored.options import OPTIONS, PACKED
from bench.data.stored.pack import Array, Field, Pack, Rows
from bench.data.stored.parts import Parts, share_out
from bench.data.stored.plates import number_plates
from bench.data.stored.reader import Reader, decoding_threads
from bench.data.stored.reading_options import ReadingOptions, parse_range
from registry.contract import Quartet

_AT_ONCE = 512
_PAYS = 512
"""Quartets from which a pack is worth its files."""


class Stored(Source):
    """Quartets in files.

    Args:
        root: a folder or zip, or several.
        files: a key of `LAYOUTS`, patterns, or ``auto``.
        fit, foreground, soft_masks, mask_values: see `DecodeOptions`; mask values as text, see `MaskValues.parse`.
        depth_unit, depth_scale, depth_range, colour_map: see `read_depth`.
        flips: how mirrored objects are numbered, see `mirrored`.
        scenes: what pictures without a background's name have in common: ``auto``, ``file``, ``sequence``.
        plate: ``median`` makes a background from every ``plate_every``-th picture of a scene.
        plate_every: see plate.
        seed: decides the split.
        camera: a key of `bench.data.camera.cameras`; ``still`` serves what is stored.
        split: a rule of `split_pools`.
        skip_bad: go on without quartets that cannot be used.
        packed: a folder in which decoded quartets are kept; None for nowhere.

    Attributes:
        notes: what was decided, in sentences.
        warnings: what is likely wrong, in sentences.

    Raises:
        BadData: files that cannot be used, all of them by name; too few groups.
        BenchError: a word that means nothing.
    """

    kind = "stored"
    version = 1

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
        colour_map: str | None = None,
        flips: str = "none",
        scenes: str = "auto",
        plate: str = "none",
        plate_every: int = 10,
        seed: int = 0,
        camera: str = "still",
        split: str = "unseen-both",
        skip_bad: bool = False,
        packed: str | Path | None = PACKED,
    ) -> None:
        find_camera(camera)
        options = ReadingOptions(
            fit, foreground, soft_masks, mask_values, depth_unit, depth_scale, parse_range(depth_range), colour_map
        )
        options.check(flips, scenes)
        if plate not in ("none", "median") or plate_every < 1:
            raise BenchError(
                f"--plate is none or median (of every 1st, 2nd ... picture), not {plate!r} of {plate_every}"
            )
        self.seed, self.camera, self.device = seed, camera, torch.device("cpu")
        paths = [root] if isinstance(root, str | Path) else list(root)
        self._catalogue = read_catalogue(paths, files, flips, scenes)
        self._options = {
            "files": self._catalogue.layout.name,
            "flips": flips,
            "plate": plate,
            "plate_every": plate_every,
        }
        self._packed = None if packed is None else Path(packed)
        self._depth = self._read_depth(options)
        self._reading = _reading(options, self._catalogue, self._depth)
        self._pool = decoding_threads()
        self._readers: dict[int, Reader] = {}
        self._entries = list(self._catalogue.entries)
        self._plates, self._background = number_plates(self._entries, plate, plate_every)
        problems = list(self._catalogue.problems)
        bad, self._content = self._check()
        problems += list(dict.fromkeys(problem for some in bad.values() for problem in some))
        if problems and not skip_bad:
            raise BadData(problems, "mend them, or go on without them: --skip-bad")
        self.skipped = tuple(problems)
        self._drop(bad)
        if not self._entries:
            raise BadData([*problems, (", ".join(map(str, paths)), "no usable quartet is left")])
        self._parts: Parts = share_out(self._entries, seed, split)
        self.has_mask = "mask" in self._catalogue.fields
        self.has_depth = "depth" in self._catalogue.fields
        self.has_background = bool((self._background >= 0).all())
        self.encoding = self._encoding()
        self.notes, self.warnings = self._say()

    def describe(self) -> dict[str, Any]:
        """How files are read, a digest of their content, and how many quartets each part has."""
        reading = self._reading
        return {
            "kind": self.kind,
            "version": self.version,
            "seed": self.seed,
            "camera": self.camera,
            **self._parts.describe(),
            "encoding": self.encoding,
            **{name: value for name, value in self._options.items() if value != _DEFAULTS.get(name)},
            "fit": reading.fit,
            "masks": str(reading.values) if reading.values else reading.foreground + " soft" * reading.soft,
            "fields": sorted(self._catalogue.fields),
            "content": self._content,
            "skipped": len(self.skipped),
        }

    def facts(self) -> dict[str, Any]:
        """Of depth, how it is read, too."""
        found = super().facts()
        if self._depth is not None:
            found["depth"] = {
                "unit": self._depth.unit.name,
                "known": round(self._depth.known, 4),
                "median": round(self._depth.median, 4),
                "origin": self._depth.origin,
            }
        return found

    def count(self, part: Part) -> int:
        """Quartets of a part; ids beyond begin anew."""
        return len(self._parts.rows[part])

    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Background and object group of each sample; of quartets whose objects have no names, the background twice."""
        rows = torch.from_numpy(self._rows(part, ids))
        return tuple(torch.from_numpy(numbers)[rows].to(self.device) for numbers in self._parts.groups)  # type: ignore[return-value]

    def to(self, device: torch.device | str) -> Self:
        """The same quartets, decoded here and served on another device."""
        moved = copy.copy(self)
        moved.device = torch.device(device)
        return moved

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """The quartets as they are stored."""
        planes = self.reader(size).planes(self._rows(part, ids))
        quartet = Quartet(
            self._picture(planes["bg"]) if "bg" in planes else None,
            self._picture(planes["bg_fg"]),
        )
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
        if size not in self._readers:
            pack = self._open_pack(size) if self._packed is not None and len(self._entries) >= _PAYS else None
            self._readers[size] = self._make_reader(size, pack)
        return self._readers[size]

    def pack(self, size: int, progress: Progress = no_progress) -> Pack:
        """Decode everything into the pack of a size, or what it lacks; verified as a whole.

        Raises:
            BadData: files that cannot be used; the source changed meanwhile.
            BenchError: no folder for packs was given, or it cannot be written.
        """
        if self._packed is None:
            raise BenchError("no folder for packed data was given")
        pack = self._open_pack(size)
        reader = self._readers[size] = self._make_reader(size, pack)
        rows = np.arange(len(self._entries))
        for start in range(0, len(rows), _AT_ONCE):
            reader.fill(rows[start : start + _AT_ONCE])
            progress("packing", min(start + _AT_ONCE, len(rows)), len(rows))
        for table in (pack.samples, pack.backgrounds):
            table.flush()
        self.check_unchanged()
        return pack

    def check_unchanged(self) -> None:
        """Refuse to go on when files came, went or changed since they were listed.

        Raises:
            BadData: they did.
        """
        before = self._catalogue.roots
        if type(before).open(before.paths).fingerprint() != before.fingerprint():
            where = ", ".join(str(path) for path in before.paths)
            raise BadData([(where, "changed while it was read")], "begin again when nothing writes there")

    def own_pack(self, size: int) -> OwnPack:
        """Sets too large to be decoded before training begins fill their pack as it goes on."""
        pack = self.reader(size).pack
        if pack is None:
            return "none"
        return "whole" if len(self._entries) <= CHECKED or pack.is_complete else "growing"

    @property
    def catalogue(self) -> Catalogue:
        """Which files make which quartet."""
        return self._catalogue

    @property
    def ignored(self) -> dict[str, int]:
        """How many files were not looked at, by suffix."""
        return dict(self._catalogue.roots.ignored)

    def picture_sizes(self, most: int = 256) -> dict[str, int]:
        """How many of some pictures have which width x height, upright."""
        found: dict[str, int] = {}
        for entry in self._entries[:: max(1, len(self._entries) // most)]:
            width, height = decode.open_image(self._catalogue.roots.read(entry.image)).size
            found[f"{width}x{height}"] = found.get(f"{width}x{height}", 0) + 1
        return found

    def _read_depth(self, options: ReadingOptions) -> DepthReading | None:
        catalogue = self._catalogue
        files = [entry.partners["depth"] for entry in catalogue.entries if "depth" in entry.partners]
        if not files:
            return None
        return read_depth(
            catalogue.roots,
            files,
            options.depth_unit,
            catalogue.layout.unit,
            options.depth_scale,
            options.depth_range,
            options.colour_map,
        )

    def _encoding(self) -> str:
        if self._depth is None:
            return "none"
        implied = self._catalogue.layout.encoding
        return (
            implied
            if implied is not None and self._depth.unit.name == self._catalogue.layout.unit
            else self._depth.unit.encoding
        )

    def _drop(self, bad: BadRows) -> None:
        """Leave out quartets with bad files; the backgrounds keep their numbers."""
        gone = {row for row in bad if row >= 0}
        plates = {-1 - row for row in bad if row < 0}
        keep = [
            row for row in range(len(self._entries)) if row not in gone and int(self._background[row]) not in plates
        ]
        self._entries = [self._entries[row] for row in keep]
        self._background = self._background[keep]

    def _check(self) -> tuple[BadRows, str]:
        if not self._entries:
            return {}, ""
        kept = None if self._packed is None or len(self._entries) < _PAYS else self._packed
        reader = self._make_reader(CHECK_SIZE, None)
        return check_files(reader, self._catalogue, self._identity(CHECK_SIZE), kept)

    def _identity(self, size: int) -> dict[str, Any]:
        """What decides every byte of a pack."""
        reading = self._reading
        unit = reading.unit
        return {
            "roots": [str(path.resolve()) for path in self._catalogue.roots.paths],
            "fingerprint": self._catalogue.fingerprint(),
            "options": self._options,
            "fit": reading.fit,
            "masks": [reading.foreground, reading.soft, str(reading.values)],
            "depth": None if unit is None else [unit.name, unit.full, unit.least, unit.holes, reading.colour_map],
            "size": size,
            "version": self.version,
            "pillow": pillow_version,
        }

    def _open_pack(self, size: int) -> Pack:
        assert self._packed is not None
        reader = self._make_reader(size, None)
        plates = [Field("bg", "u1", (size, size, 3))]
        identity = {**self._identity(size), "skipped": len(self.skipped), "count": len(self._entries)}
        return Pack.open(
            self._packed,
            identity,
            {"samples": (reader.fields(), len(self._entries)), "backgrounds": (plates, len(self._plates))},
            {
                "background": [entry.background for entry in self._entries],
                "object": [entry.item for entry in self._entries],
                "encoding": [self.encoding],
            },
        )

    def _make_reader(self, size: int, pack: Pack | None) -> Reader:
        return Reader(
            self._catalogue.roots, self._entries, self._plates, self._background, self._reading, size, self._pool, pack
        )

    def _rows(self, part: Part, ids: Tensor) -> Rows:
        self.stream(part)  # refuses a part that there is not
        rows = self._parts.rows[part]
        chosen: Rows = rows[ids.cpu().numpy() % len(rows)]
        return chosen

    def _picture(self, pixels: Array) -> Tensor:
        """(B, S, S, 3) uint8 to (B, 3, S, S) float32 in [0, 1]."""
        return torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float().div_(255)

    def _plane(self, values: Array) -> Tensor:
        return torch.from_numpy(values).to(self.device)[:, None]

    def _say(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        notes, warnings = [*self._catalogue.notes, *self._parts.notes()], []
        if self._depth is not None:
            notes.append(self._depth.say())
            warnings += [self._depth.warning] if self._depth.warning else []
        if self.skipped:
            notes.append(f"{len(self.skipped)} problems left out")
        unused = {name: count for name, count in self._catalogue.unused.items() if count}
        if unused:
            notes.append("not needed: " + ", ".join(f"{count:,} {name}" for name, count in sorted(unused.items())))
        return tuple(notes), tuple(warnings)


@sources.register(options=OPTIONS)
def stored(**options: Any) -> Source:
    """Quartets in folders and zips, as they are; a field may be missing."""
    return Stored(**options)


_DEFAULTS = {"flips": "none", "plate": "none", "plate_every": 10}


def _reading(options: ReadingOptions, catalogue: Catalogue, depth: DepthReading | None) -> DecodeOptions:
    values = options.mask_values or catalogue.layout.mask_values
    return DecodeOptions(
        options.fit,
        options.foreground,
        options.soft_masks,
        None if values is None else MaskValues.parse(values),
        None if depth is None else depth.unit,
        None if depth is None else depth.colour_map,
    )
