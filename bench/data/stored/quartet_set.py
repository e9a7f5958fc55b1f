"""The quartets of some files with all that was decided about them: what belongs together, and how it is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import __version__ as pillow_version

from bench.core.errors import BadData
from bench.data.stored.catalogue import Catalogue, QuartetFiles
from bench.data.stored.decoding.depth_format import DepthFormat
from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.files.roots import File
from bench.data.stored.packing.checking import BadRows
from bench.data.stored.packing.decoder import Decoder
from bench.data.stored.packing.pack import Rows
from bench.data.stored.packing.threads import Problem
from bench.data.stored.teacher.maps import TeacherMaps

VERSION = 1
"""Of how files become arrays; raised when that changes."""
_READING = 3
"""Raised where only files that were misread become other arrays, or are refused: what is kept of them is made anew."""


@dataclass(frozen=True)
class QuartetSet:
    """Quartets in files.

    Attributes:
        catalogue: which files make which quartet.
        entries: the quartets that are used.
        plates: files of each background; of several the median is meant.
        background: number of each quartet's background, -1 without, (N,).
        decoding: how files become arrays.
        depth: how depth files are read; None without depth.
        options: how files were named and paired, as JSON.
        grouping: a digest of the groups where a user decides them: by patterns, scenes, or a table.
        content: digest of the files' content.
        skipped: files that were left out, with the reason.
        maps: a teacher's depth, instead of depth files.
    """

    catalogue: Catalogue
    entries: list[QuartetFiles]
    plates: list[tuple[File, ...]]
    background: Rows
    decoding: DecodeOptions
    depth: DepthFormat | None
    options: dict[str, Any]
    content: str = ""
    skipped: tuple[Problem, ...] = ()
    grouping: Mapping[str, str] = field(default_factory=dict)
    maps: TeacherMaps | None = None

    @property
    def fields(self) -> frozenset[str]:
        """What its quartets have."""
        return self.catalogue.fields | ({"depth"} if self.maps is not None else set())

    @property
    def encoding(self) -> str:
        """What a depth of 1.0 means."""
        return "none" if self.depth is None else self.depth.unit.encoding

    def identity(self, size: int) -> dict[str, Any]:
        """What decides every byte that is decoded at a size; ``roots`` names the place, ``fingerprint`` its state."""
        decoding, unit = self.decoding, self.decoding.unit
        return {
            "roots": [str(path.resolve()) for path in self.catalogue.roots.paths],
            "fingerprint": self.catalogue.fingerprint,
            "options": self.options,
            "fit": decoding.fit,
            "masks": [decoding.foreground, decoding.soft, str(decoding.values)],
            "depth": None if unit is None else [unit.name, unit.full, unit.least, unit.holes, decoding.colour_map],
            "size": size,
            "version": VERSION,
            "reading": _READING,
            "pillow": pillow_version,
            **({"teacher": self.maps.teacher.description} if self.maps is not None else {}),
        }

    def decoder(self, size: int) -> Decoder:
        """What makes arrays of the files, of a size."""
        return Decoder(self.catalogue.roots, self.entries, self.plates, self.background, self.decoding, size, self.maps)

    def check_unchanged(self) -> None:
        """Refuse to go on when files came, went or changed since they were listed.

        Raises:
            BadData: they did.
        """
        before = self.catalogue.roots
        if type(before).open(before.paths).fingerprint() != before.fingerprint():
            where = ", ".join(str(path) for path in before.paths)
            raise BadData([(where, "changed while it was read")], "begin again when nothing writes to it")

    def without(self, bad: BadRows) -> QuartetSet:
        """The same without quartets that have bad files; backgrounds keep their numbers."""
        gone = {row for row in bad if row >= 0}
        plates = {-1 - row for row in bad if row < 0}
        keep = [row for row in range(len(self.entries)) if row not in gone and int(self.background[row]) not in plates]
        return replace(self, entries=[self.entries[row] for row in keep], background=self.background[keep])
