"""The quartets of some folders and zips: recognised, paired, grouped; nothing is decoded yet."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.core.errors import BadData
from bench.core.progress import Progress, no_progress
from bench.data.stored.files.roots import File, Roots
from bench.data.stored.naming.groups import group_pictures
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.layouts import LAYOUTS, find_layout
from bench.data.stored.naming.named_files import Picture, sort_by_field
from bench.data.stored.naming.pairing import pair
from bench.data.stored.naming.patterns import Pattern

_ENOUGH_TO_RECOGNISE = 4096
_NEARLY = 0.9
SAY_NAMES = "say how files are named: --files (of bench data export: --data-option files=...)"
_TARGETS = ("mask", "depth")
_READ = "pictures are jpg, png, webp, tif, bmp or gif (of videos: their frames), depth also npy or pfm"


@dataclass(frozen=True, slots=True)
class QuartetFiles:
    """One quartet.

    Attributes:
        image: bg_fg.
        partners: files of the other fields, by field.
        background, item: names of its groups; the item's is empty where objects have no names.
    """

    image: File
    partners: dict[str, File]
    background: str
    item: str


@dataclass
class Catalogue:
    """All quartets, before any is decoded.

    Attributes:
        roots: where they lie.
        layout: how they are named.
        entries: the quartets, sorted by name.
        fields: which fields they have; all have the same.
        problems: every file that is of no use, with its reason.
        notes: what was decided, in sentences.
        unused: files that nothing needs, by field.
        doubts: what is likely wrong with the groups, in sentences.
        way: what to do where there are too few backgrounds for a split.
    """

    roots: Roots
    layout: Layout
    entries: list[QuartetFiles]
    fields: frozenset[str]
    problems: list[tuple[str, str]]
    notes: list[str]
    unused: Counter[str]
    doubts: list[str] = dataclasses.field(default_factory=list)
    way: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """A digest of what is paired with what, and of the files' names, sizes and stamps."""
        digest = hashlib.sha256(self.roots.fingerprint().encode())
        for entry in self.entries:
            names = [entry.image.name, *(f"{field}={file.name}" for field, file in sorted(entry.partners.items()))]
            digest.update("\0".join((*names, entry.background, entry.item)).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def read_catalogue(
    paths: Sequence[str | Path],
    files: str,
    flips: str,
    scenes: str,
    reads_depth: bool = True,
    progress: Progress = no_progress,
) -> Catalogue:
    """List, recognise, pair and group.

    Args:
        paths: folders and zips.
        files: a layout's name, patterns, or ``auto``.
        flips, scenes: see `group_pictures`.
        reads_depth: whether depth comes from files; else pictures without any target will do, and depth files are
            left alone.
        progress: called as files are listed.

    Raises:
        BadData: nothing that can be read; no layout that fits; a table of groups that says nothing.
        BenchError: an unknown layout, or patterns that cannot be read.
    """
    layout = find_layout(files)
    roots = Roots.open(paths, progress)
    notes = []
    if layout is None:
        layout = recognise(roots, needs_target=reads_depth)
        notes.append(f"recognised as {layout.name}: {layout.summary}")
    roots.expect(layout.companions)
    found, strange = sort_by_field(roots.files, layout, progress)
    if not reads_depth:
        found = {name: files for name, files in found.items() if name not in ("depth", "valid")}
    _check_patterns(roots, layout, found, reads_depth)
    if "bg_fg" not in found or (reads_depth and not any(name in found for name in _TARGETS)):
        what = "no picture" if "bg_fg" not in found else "neither a mask nor a depth map"
        where = ", ".join(str(path) for path in roots.paths)
        raise BadData(
            [*roots.problems, (where, f"{what} in the names of layout {layout.name}")],
            SAY_NAMES,
        )
    paired = pair(roots, layout, found)
    paired.pictures.sort(key=lambda picture: (picture.image.prefix, picture.image.file.name))
    grouped = group_pictures(roots, layout, paired.pictures, flips, scenes)
    if strange:
        notes.append("not in the layout's names: " + _counts(strange))
    if roots.ignored:
        notes.append("not read: " + _counts(roots.ignored))
    return Catalogue(
        roots,
        layout,
        [_entry(picture, group) for picture, group in zip(paired.pictures, grouped.groups, strict=True)],
        frozenset(found),
        [*roots.problems, *paired.problems],
        [*notes, *paired.notes, *grouped.notes],
        paired.unused,
        grouped.doubts,
        grouped.way,
    )


def recognise(roots: Roots, needs_target: bool = True) -> Layout:
    """The first layout in which as good as most of the files have a meaning.

    Args:
        roots: the files.
        needs_target: whether there must be masks or depth maps among them.

    Raises:
        BadData: no layout fits.
    """
    step = max(1, len(roots.files) // _ENOUGH_TO_RECOGNISE)
    some = roots.files[::step]
    taken: dict[str, int] = {}
    for layout in LAYOUTS.values():
        found, _ = sort_by_field(some, layout)
        if "bg_fg" in found and (not needs_target or any(name in found for name in _TARGETS)):
            taken[layout.name] = sum(len(files) for files in found.values())
    if not taken:
        shown = ", ".join(file.name for file in roots.files[:3]) or "no pictures"
        where = ", ".join(str(path) for path in roots.paths)
        unread = f"; not read: {_counts(roots.ignored)}, as {_READ}" if roots.ignored else ""
        raise BadData(
            [*roots.problems, (where, f"no known layout ({shown} ...){unread}")],
            f"{SAY_NAMES}; one of {', '.join(LAYOUTS)}, or patterns such as "
            '"image=images/{id}.jpg mask=masks/{id}.png"',
        )
    # The particular layouts come first: a stray file that only a general one takes does not decide.
    return LAYOUTS[next(name for name, count in taken.items() if count >= _NEARLY * max(taken.values()))]


def _check_patterns(roots: Roots, layout: Layout, found: Mapping[str, object], reads_depth: bool) -> None:
    """Refuse a user's patterns that no file fits: what they name would be missing without a word.

    Raises:
        BadData: every such pattern, with files that fit none.
    """
    without = () if reads_depth else ("depth", "valid")
    idle = [some for some in layout.patterns if some.written and some.field not in found and some.field not in without]
    if not idle:
        return
    where = ", ".join(str(path) for path in roots.paths)
    others = (
        file.name for file in roots.files if not any(some.parse(file.stem, file.suffix) for some in layout.patterns)
    )
    shown = ", ".join(itertools.islice(others, 3))
    advice = f"files that no pattern fits: {shown} ..." if shown else "take out of --files what the data does not have"
    reasons = [(where, _why_idle(some, roots, layout)) for some in idle]
    raise BadData([*roots.problems, *reasons], advice)


def _why_idle(idle: Pattern, roots: Roots, layout: Layout) -> str:
    """Why no file has the meaning of a pattern: another took them, their type is not read, or there are none."""
    for file in roots.files:
        if idle.parse(file.stem, file.suffix):
            taker = next(some for some in layout.patterns if some.parse(file.stem, file.suffix))
            return (
                f"every file that fits {idle.written} fits {taker.written} as well, such as {file.name}: "
                "tell them apart by a folder or a word"
            )
    if idle.suffix is not None and idle.suffix in roots.ignored:
        return f"{idle.written}: {roots.ignored[idle.suffix]:,} {idle.suffix} files are not read, as {_READ}"
    return f"no file fits {idle.written}"


def _entry(picture: Picture, groups: tuple[str, str]) -> QuartetFiles:
    return QuartetFiles(picture.image.file, picture.partners, *groups)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(counts.items()))
