"""The quartets of some files with all that was decided about them: what belongs together, and how it is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import __version__ as pillow_version

from bench.core.errors import BadData
from bench.core.progress import Progress, no_progress
from bench.data.stored.catalogue import Catalogue, QuartetFiles, read_catalogue
from bench.data.stored.decoding.depth_format import DepthFormat, find_depth_format
from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.decoding.file_options import FileOptions
from bench.data.stored.decoding.mask_values import MaskValues
from bench.data.stored.files.roots import File
from bench.data.stored.packing.checking import CHECK_SIZE, CHECKED, BadRows, check_files
from bench.data.stored.packing.pack import Rows
from bench.data.stored.packing.plates import number_plates
from bench.data.stored.packing.reader import Problem, Reader, decoding_threads

VERSION = 1
"""Of how files become arrays; raised when that changes."""


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
        content: digest of the files' content.
        skipped: files that were left out, with the reason.
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

    @property
    def encoding(self) -> str:
        """What a depth of 1.0 means."""
        if self.depth is None:
            return "none"
        layout = self.catalogue.layout
        implied = layout.encoding is not None and self.depth.unit.name == layout.unit
        return layout.encoding if implied and layout.encoding else self.depth.unit.encoding

    def identity(self, size: int) -> dict[str, Any]:
        """What decides every byte that is decoded at a size; ``roots`` names the place, ``fingerprint`` its state."""
        decoding, unit = self.decoding, self.decoding.unit
        return {
            "roots": [str(path.resolve()) for path in self.catalogue.roots.paths],
            "fingerprint": self.catalogue.fingerprint(),
            "options": self.options,
            "fit": decoding.fit,
            "masks": [decoding.foreground, decoding.soft, str(decoding.values)],
            "depth": None if unit is None else [unit.name, unit.full, unit.least, unit.holes, decoding.colour_map],
            "size": size,
            "version": VERSION,
            "pillow": pillow_version,
        }

    def check_unchanged(self) -> None:
        """Refuse to go on when files came, went or changed since they were listed.

        Raises:
            BadData: they did.
        """
        before = self.catalogue.roots
        if type(before).open(before.paths).fingerprint() != before.fingerprint():
            where = ", ".join(str(path) for path in before.paths)
            raise BadData([(where, "changed while it was read")], "begin again when nothing writes to it")

    def notes(self) -> list[str]:
        """What was decided, in sentences."""
        notes = [self.depth.sentence()] if self.depth is not None else []
        if self.skipped:
            notes.append(f"{len(self.skipped)} problems left out")
        unused = {name: count for name, count in self.catalogue.unused.items() if count}
        if unused:
            notes.append("not needed: " + ", ".join(f"{count:,} {name}" for name, count in sorted(unused.items())))
        return notes

    def without(self, bad: BadRows) -> QuartetSet:
        """The same without quartets that have bad files; backgrounds keep their numbers."""
        gone = {row for row in bad if row >= 0}
        plates = {-1 - row for row in bad if row < 0}
        keep = [row for row in range(len(self.entries)) if row not in gone and int(self.background[row]) not in plates]
        return replace(self, entries=[self.entries[row] for row in keep], background=self.background[keep])


def open_quartets(
    paths: Sequence[str | Path],
    files: str,
    options: FileOptions,
    flips: str = "none",
    scenes: str = "auto",
    plate: str = "none",
    plate_every: int = 10,
    skip_bad: bool = False,
    packed: Path | None = None,
    worth_packing: int = 0,
    checked: int = CHECKED,
    progress: Progress = no_progress,
) -> QuartetSet:
    """List, pair and check the quartets of some folders and zips.

    Args:
        paths: folders and zips.
        files: a key of `LAYOUTS`, patterns, or ``auto``.
        options: how files are read.
        flips, scenes: see `group_pictures`.
        plate, plate_every: see `number_plates`.
        skip_bad: leave out what cannot be used.
        packed: folder where the outcome of checking is kept; None for nowhere.
        worth_packing: fewer quartets are checked anew every time.
        checked: of more quartets, damaged files are met when they are needed.
        progress: called as files are listed and checked.

    Raises:
        BadData: files that cannot be used, all of them by name.
        BenchError: a word that means nothing.
    """
    catalogue = read_catalogue(paths, files, flips, scenes)
    depth = _depth_format(options, catalogue)
    entries = list(catalogue.entries)
    plates, background = number_plates(entries, plate, plate_every)
    naming = {"files": catalogue.layout.name, "flips": flips, "plate": plate, "plate_every": plate_every}
    quartets = QuartetSet(
        catalogue, entries, plates, background, _decode_options(options, catalogue, depth), depth, naming
    )
    kept = packed if len(entries) >= worth_packing else None
    bad, content = _check(quartets, kept, checked, progress)
    problems = [*catalogue.problems, *dict.fromkeys(problem for some in bad.values() for problem in some)]
    if problems and not skip_bad:
        raise BadData(problems, "mend them, or go on without them: --skip-bad")
    quartets = replace(quartets.without(bad), content=content, skipped=tuple(problems))
    if not quartets.entries:
        raise BadData([*problems, (", ".join(map(str, paths)), "no usable quartet is left")])
    return quartets


def _check(quartets: QuartetSet, kept: Path | None, checked: int, progress: Progress) -> tuple[BadRows, str]:
    if not quartets.entries:
        return {}, ""
    with decoding_threads() as pool:
        reader = Reader(
            quartets.catalogue.roots,
            quartets.entries,
            quartets.plates,
            quartets.background,
            quartets.decoding,
            CHECK_SIZE,
            pool,
        )
        identity = quartets.identity(CHECK_SIZE)
        return check_files(reader, quartets.catalogue, identity, kept, checked, progress)


def _depth_format(options: FileOptions, catalogue: Catalogue) -> DepthFormat | None:
    files = [entry.partners["depth"] for entry in catalogue.entries if "depth" in entry.partners]
    if not files:
        return None
    return find_depth_format(
        catalogue.roots,
        files,
        options.depth_unit,
        catalogue.layout.unit,
        options.depth_scale,
        options.depth_range,
        options.colour_map,
    )


def _decode_options(options: FileOptions, catalogue: Catalogue, depth: DepthFormat | None) -> DecodeOptions:
    values = options.mask_values or catalogue.layout.mask_values
    return DecodeOptions(
        options.fit,
        options.foreground,
        options.soft_masks,
        None if values is None else MaskValues.parse(values),
        None if depth is None else depth.unit,
        None if depth is None else depth.colour_map,
    )
