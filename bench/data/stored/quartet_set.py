"""The quartets of some files with all that was decided about them: what belongs together, and how it is decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from PIL import __version__ as pillow_version

from bench.core.errors import BadData, BenchError
from bench.core.machine import pick_device
from bench.core.progress import Progress, no_progress
from bench.data.stored.catalogue import SAY_NAMES, Catalogue, QuartetFiles, read_catalogue
from bench.data.stored.decoding.depth_format import DepthFormat, find_depth_format
from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.decoding.file_options import FileOptions
from bench.data.stored.decoding.images import open_image
from bench.data.stored.decoding.mask_doubt import doubt_masks
from bench.data.stored.decoding.mask_values import MaskValues
from bench.data.stored.decoding.picture_doubt import doubt_pictures
from bench.data.stored.files.roots import File
from bench.data.stored.naming.group_table import has_table
from bench.data.stored.naming.layouts import OWN
from bench.data.stored.naming.named_files import SAME_IDS
from bench.data.stored.packing.checking import CHECK_SIZE, CHECKED, BadRows, check_files
from bench.data.stored.packing.decoder import Decoder
from bench.data.stored.packing.pack import Rows
from bench.data.stored.packing.plates import number_plates
from bench.data.stored.packing.reader import Reader
from bench.data.stored.packing.readers import open_pack
from bench.data.stored.packing.threads import Problem, decoding_threads
from bench.data.stored.teacher.maps import TeacherMaps, map_side
from bench.data.stored.teacher.teacher import load_teacher

_TEACHER_METRES = 10.0
VERSION = 1
"""Of how files become arrays; raised when that changes."""
_NAMED = 3
_MEDIAN_OF = 3
"""Pictures at least: the median of two is their mean."""
_READING = 2
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

    def notes(self) -> list[str]:
        """What was decided, in sentences."""
        notes = [self.depth.sentence()] if self.depth is not None else []
        if self.skipped:
            notes.append(f"{len(self.skipped)} problems left out: {self.what_was_skipped()}")
        unused = {name: count for name, count in self.catalogue.unused.items() if count}
        if alone := unused.pop("bg_fg", 0):
            wanted = " or ".join(sorted(self.catalogue.fields - {"bg_fg"}))
            notes.append(f"{alone:,} pictures left out, which have no {wanted} of their own")
        if unused:
            notes.append("not needed: " + ", ".join(f"{count:,} {name}" for name, count in sorted(unused.items())))
        if self.options["plate"] == "median":
            least, most = min(map(len, self.plates)), max(map(len, self.plates))
            of = f"{least}" if least == most else f"{least} to {most}"
            notes.append(f"each background is the median of {of} pictures of its scene")
        return notes

    def what_was_skipped(self) -> str:
        """The first files that were left out, without their folders, each with its reason."""
        shown = "; ".join(f"{PurePath(name).name}: {why}" for name, why in self.skipped[:_NAMED])
        return shown + f"; and {len(self.skipped) - _NAMED:,} more" * (len(self.skipped) > _NAMED)

    def plate_doubt(self) -> str:
        """Why backgrounds of medians are likely no empty scenes; empty where nothing speaks for that."""
        few = sum(len(files) < _MEDIAN_OF for files in self.plates) if self.options["plate"] == "median" else 0
        if not few:
            return ""
        return (
            f"{few} of {len(self.plates)} backgrounds are the median of fewer than {_MEDIAN_OF} pictures and show what "
            f"is in these, objects too: use more pictures of each scene, --plate-every below "
            f"{self.options['plate_every']}, or photographs of the empty scene"
        )

    def mask_doubt(self) -> str:
        """Why masks are likely no black and white, see `doubt_masks`; empty without masks."""
        files = [entry.partners["mask"] for entry in self.entries if "mask" in entry.partners]
        return doubt_masks(self.catalogue.roots, files, self.decoding)

    def picture_doubt(self) -> str:
        """Why photographs are likely read too dark, see `doubt_pictures`."""
        return doubt_pictures(self.catalogue.roots, [entry.image for entry in self.entries])

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
    depth_model: str | None = None,
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
        depth_model: a teacher, see `load_teacher`, that predicts depth; depth files are left alone then.
        skip_bad: leave out what cannot be used.
        packed: folder where the outcome of checking is kept; None for nowhere.
        worth_packing: fewer quartets are checked anew every time.
        checked: of more quartets, damaged files are met when they are needed.
        progress: called as files are listed and checked.

    Raises:
        BadData: files that cannot be used, all of them by name.
        BenchError: a word that means nothing.
    """
    if depth_model is not None and packed is None:
        raise BenchError("--depth-model needs a folder in which its depth is kept: --packed")
    # A plate is the median of a scene: where each picture is one, nothing is left of it.
    together = "sequence" if plate == "median" and scenes == "auto" else scenes
    catalogue = read_catalogue(paths, files, flips, together, depth_model is None, progress)
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
        raise BadData(problems, _advice(catalogue))
    quartets = replace(quartets.without(bad), content=content, skipped=tuple(problems))
    if catalogue.layout.name == OWN or scenes != "auto" or has_table(catalogue.roots):
        quartets = replace(quartets, grouping={"grouping": _grouping(quartets.entries)})
    if not quartets.entries:
        raise BadData([*problems, (", ".join(map(str, paths)), "no usable quartet is left")], _naming(catalogue))
    if depth_model is None or packed is None:
        return quartets
    return _taught(quartets, depth_model, options, packed, progress)


def _grouping(entries: Sequence[QuartetFiles]) -> str:
    names = "\n".join(f"{entry.background}\t{entry.item}" for entry in entries)
    return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _advice(catalogue: Catalogue) -> str:
    """What to do about bad files; where most pictures lack something, their names may mean something else."""
    mend = "mend them, or go on without them: --skip-bad"
    if any(reason.startswith(SAME_IDS) for _, reason in catalogue.problems):
        mend += "; of two sets that number alike each lies in a folder or root of its own, with all its fields"
    if not catalogue.entries:
        return _naming(catalogue)
    return f"{mend}; {_naming(catalogue)}" if len(catalogue.problems) > len(catalogue.entries) else mend


def _naming(catalogue: Catalogue) -> str:
    layout = catalogue.layout
    return f"names were read as those of layout {layout.name} ({layout.summary}); if they are others, {SAY_NAMES}"


def _taught(quartets: QuartetSet, model: str, options: FileOptions, packed: Path, progress: Progress) -> QuartetSet:
    """The set with depth by a teacher, computed where it is not kept already."""
    if options.depth_scale is not None:
        raise BenchError("--depth-scale is of depth files; a teacher's metres are --depth-unit m")
    teacher = load_teacher(model, options.depth_unit, pick_device())
    first = open_image(quartets.catalogue.roots.read(quartets.entries[0].image))
    side = map_side(min(first.size))
    greatest = options.depth_range[1] if options.depth_range is not None else _TEACHER_METRES
    identity = {**quartets.identity(side), "skipped": len(quartets.skipped)}
    del identity["reading"]  # of masks and depth files; a teacher's maps are of photographs
    maps = TeacherMaps.open(teacher, packed, identity, len(quartets.entries), greatest)
    with decoding_threads() as pool:
        maps.fill(quartets.decoder(side), pool, progress)
    depth = maps.format()
    decoding = replace(quartets.decoding, unit=depth.unit, colour_map=None)
    return replace(quartets, maps=maps, depth=depth, decoding=decoding)


def _check(quartets: QuartetSet, kept: Path | None, checked: int, progress: Progress) -> tuple[BadRows, str]:
    if not quartets.entries:
        return {}, ""
    # What is decoded for the check is kept: it is what a run at this size needs.
    pack = open_pack(quartets, kept, CHECK_SIZE) if kept is not None and len(quartets.entries) <= checked else None
    with decoding_threads() as pool:
        reader = Reader(quartets.decoder(CHECK_SIZE), pool, pack)
        bad, content = check_files(reader, quartets.catalogue, quartets.identity(CHECK_SIZE), kept, checked, progress)
    if pack is not None and (bad or quartets.catalogue.problems):  # it holds quartets that are left out
        pack.remove()
    return bad, content


def _depth_format(options: FileOptions, catalogue: Catalogue) -> DepthFormat | None:
    files = [entry.partners["depth"] for entry in catalogue.entries if "depth" in entry.partners]
    if not files:
        return None
    layout = catalogue.layout
    found = find_depth_format(
        catalogue.roots,
        files,
        options.depth_unit,
        layout.unit,
        options.depth_scale,
        options.depth_range,
        options.colour_map,
    )
    if layout.encoding is None or found.unit.name != layout.unit or options.depth_range is not None:
        return found
    return replace(found, unit=replace(found.unit, encoding=layout.encoding))


def _decode_options(options: FileOptions, catalogue: Catalogue, depth: DepthFormat | None) -> DecodeOptions:
    values = options.mask_values or catalogue.layout.mask_values
    return DecodeOptions(
        options.fit,
        options.foreground,
        options.soft_masks,
        None if values is None else MaskValues.parse(values),
        None if depth is None else depth.unit,
        None if depth is None else depth.colour_map,
        None if depth is None else depth.kind,
    )
