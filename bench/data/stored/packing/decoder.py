"""The files of a quartet as arrays of a size."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bench.data.stored.catalogue import QuartetFiles
from bench.data.stored.decoding import fields
from bench.data.stored.decoding.depth_codes import encode_depth
from bench.data.stored.decoding.fields import DecodeOptions, OtherShape
from bench.data.stored.decoding.images import BadFile, is_turned
from bench.data.stored.decoding.placement import Placement
from bench.data.stored.files.roots import File, Roots, Unreadable
from bench.data.stored.packing.pack import Array, Field, Rows
from bench.data.stored.packing.threads import Bad, Problem

_CACHED_BYTES = 2**28
_FINE = 4096


class DepthMaps(Protocol):
    """Depth that does not come from files: a teacher's."""

    def depth(self, row: int, size: int) -> npt.NDArray[np.float32]:
        """Depth of a quartet's picture, (size, size) in [0, 1], -1 where unknown."""


class Decoder:
    """Decodes quartets at a size.

    Args:
        roots: where the files lie.
        entries: the quartets.
        plates: files of each background; of several the median is meant.
        background: number of each quartet's background, -1 without.
        options: how files become arrays.
        size: side of the squares.
        maps: depth maps instead of the depth files; None to read these.
    """

    def __init__(
        self,
        roots: Roots,
        entries: Sequence[QuartetFiles],
        plates: Sequence[tuple[File, ...]],
        background: Rows,
        options: DecodeOptions,
        size: int,
        maps: DepthMaps | None = None,
    ) -> None:
        self._roots, self._entries, self._plates = roots, entries, plates
        self.background_of, self.options, self.size, self._maps = background, options, size, maps
        self._cache: dict[int, npt.NDArray[np.uint8]] = {}
        self._lock = threading.Lock()

    def sample(self, row: int) -> dict[str, Array]:
        """A quartet without its background: what `fields` names.

        Raises:
            Bad: files of it that cannot be used.
        """
        entry, problems = self._entries[row], list[Problem]()
        planes: dict[str, Array] = {}
        aspect = 1.0
        try:
            planes["bg_fg"], aspect = self._photograph(entry.image)
        except (BadFile, Unreadable) as error:
            problems.append((self._roots.label(entry.image), str(error)))
        for name, decode in (("mask", self._mask), ("depth", self._depth)):
            if name not in entry.partners:
                continue
            file = entry.partners[name]
            try:
                made, shape = decode(file, entry)
                if "bg_fg" in planes:
                    fields.check_aspect(name, shape, aspect)
                planes.update(made)
            except OtherShape as error:
                problems.append((self._roots.label(file), self._why_shapes_differ(error, entry, file)))
            except Bad as error:
                problems += error.problems
            except (BadFile, Unreadable) as error:
                problems.append((self._roots.label(file), str(error)))
        if problems:
            raise Bad(problems)
        if self._maps is not None:
            values = self._maps.depth(row, self.size)
            if self.options.fit == "pad":
                inside = Placement.of(round(_FINE * aspect), _FINE, self.size, "pad").inside()
                values = np.where(inside, values, np.float32(-1))
            planes["depth"] = encode_depth(values, self._depth_type())
        return planes

    def photograph(self, row: int) -> npt.NDArray[np.uint8]:
        """The picture of a quartet alone, (size, size, 3).

        Raises:
            Bad: it cannot be used.
        """
        file = self._entries[row].image
        with self._blaming(file):
            return self._photograph(file)[0]

    def background(self, number: int) -> npt.NDArray[np.uint8]:
        """A background, (size, size, 3), decoded once.

        Raises:
            Bad: it cannot be used.
        """
        found = self._cache.get(number)
        if found is not None:
            return found
        shots, problems = [], list[Problem]()
        for file in self._plates[number]:
            try:
                shots.append(self._photograph(file)[0])
            except (BadFile, Unreadable) as error:
                problems.append((self._roots.label(file), str(error)))
        if problems:
            raise Bad(problems)
        made = shots[0] if len(shots) == 1 else np.median(np.stack(shots), axis=0).astype(np.uint8)
        with self._lock:
            if (len(self._cache) + 1) * made.nbytes <= _CACHED_BYTES:
                self._cache[number] = made
        return made

    def checksums(self, row: int) -> list[int]:
        """Checksums of a quartet's files but its background, 0 of those that were not read; for another process."""
        return [self._roots.checksum(file) or 0 for file in self._files(row)]

    def note_checksums(self, row: int, checksums: Sequence[int]) -> None:
        """Take over what `checksums` gave in another process."""
        for file, checksum in zip(self._files(row), checksums, strict=True):
            self._roots.note_checksum(file, checksum)

    def fields(self) -> list[Field]:
        """What `sample` gives, as a table keeps it."""
        side = (self.size, self.size)
        kinds = self._entries[0].partners
        found = [Field("bg_fg", "u1", (*side, 3))]
        if "mask" in kinds:
            found.append(Field("mask", "u1", side))
            if self._has_unknown_mask():
                found.append(Field("mask_valid", "u1", side))
        if "depth" in kinds or self._maps is not None:
            found.append(Field("depth", self._depth_type().str, side))
        return found

    def _files(self, row: int) -> list[File]:
        entry = self._entries[row]
        return [entry.image, *(file for name, file in sorted(entry.partners.items()) if name != "bg")]

    def _photograph(self, file: File) -> tuple[npt.NDArray[np.uint8], float]:
        return fields.photograph(self._roots.read(file), self.size, self.options.fit)

    def _mask(self, file: File, entry: QuartetFiles) -> tuple[dict[str, Array], float]:
        partner, whole = entry.partners.get("mask_valid"), None
        if partner is not None:
            with self._blaming(partner):
                whole = fields.whole_known(self._roots.read(partner), partner.name)
        (values, known), aspect = fields.mask(self._roots.read(file), file.name, self.size, self.options, whole)
        if partner is not None and whole is not None:
            with self._blaming(partner):
                fields.check_aspect("valid", whole.shape[1] / whole.shape[0], aspect, "mask")
        if not self._has_unknown_mask():
            return {"mask": values}, aspect
        return {"mask": values, "mask_valid": np.ones_like(values) if known is None else known}, aspect

    def _depth(self, file: File, entry: QuartetFiles) -> tuple[dict[str, Array], float]:
        plain = self.options.colour_map is None and self._depth_type() == np.uint8
        if plain and fields.is_lossy(file.name):
            levels, aspect = fields.depth_levels(self._roots.read(file), self.size, self.options.fit)
            return {"depth": levels}, aspect
        values, aspect = fields.depth(self._roots.read(file), file.name, self.size, self.options)
        if "valid" in entry.partners:
            values = np.where(self._known(entry.partners["valid"], aspect), values, np.float32(-1))
        return {"depth": encode_depth(values, self._depth_type())}, aspect

    def _known(self, file: File, aspect: float) -> npt.NDArray[np.bool_]:
        """Where depth is known, by a file of its own, (size, size).

        Raises:
            Bad: the file cannot be used, or is of another shape than the depth.
        """
        with self._blaming(file):
            known, shape = fields.known(self._roots.read(file), file.name, self.size, self.options.fit)
            fields.check_aspect("valid", shape, aspect, "depth")
        return known

    @contextmanager
    def _blaming(self, file: File) -> Iterator[None]:
        """What goes wrong is the fault of this file."""
        try:
            yield
        except (BadFile, Unreadable) as error:
            raise Bad([(self._roots.label(file), str(error))]) from error

    def _why_shapes_differ(self, error: OtherShape, entry: QuartetFiles, file: File) -> str:
        if not error.is_turned:
            return str(error)
        turned = [is_turned(self._roots.read(some)) for some in (entry.image, file)]
        if turned[0] == turned[1]:
            return str(error)
        which = ("its picture is", "it is not") if turned[0] else ("it is", "its picture is not")
        return f"{error.shapes}: {which[0]} turned by its EXIF orientation and {which[1]}; make both of the same"

    def _has_unknown_mask(self) -> bool:
        declared = self.options.values is not None or "mask_valid" in self._entries[0].partners
        return declared or self.options.fit == "pad"

    def _depth_type(self) -> np.dtype[np.generic]:
        unit = self.options.unit
        holes = unit is None or unit.holes or self.options.fit == "pad" or "valid" in self._entries[0].partners
        eight_bits = not holes and unit is not None and unit.full == 255
        return np.dtype("u1" if eight_bits else "<u2")
