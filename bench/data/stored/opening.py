"""From folders and zips to a checked set of quartets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.core.errors import BadData, BenchError
from bench.core.machine import pick_device
from bench.core.progress import Progress, no_progress
from bench.data.stored.catalogue import SAY_NAMES, Catalogue, QuartetFiles, read_catalogue
from bench.data.stored.decoding.depth_format import DepthFormat, find_depth_format
from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.decoding.file_options import FileOptions
from bench.data.stored.decoding.images import open_image
from bench.data.stored.decoding.mask_values import MaskValues
from bench.data.stored.naming.group_table import has_table
from bench.data.stored.naming.layouts import OWN
from bench.data.stored.naming.named_files import SAME_IDS
from bench.data.stored.packing.checking import CHECK_SIZE, CHECKED, BadRows, check_files
from bench.data.stored.packing.plates import number_plates
from bench.data.stored.packing.reader import Reader
from bench.data.stored.packing.readers import find_pack
from bench.data.stored.packing.threads import decoding_threads
from bench.data.stored.quartet_set import QuartetSet
from bench.data.stored.teacher.maps import TeacherMaps, map_side
from bench.data.stored.teacher.teacher import load_teacher

_TEACHER_METRES = 10.0


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
    pack = find_pack(quartets, kept, CHECK_SIZE) if kept is not None and len(quartets.entries) <= checked else None
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
