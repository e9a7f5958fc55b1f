"""Pairing by a text file that lists the names which belong together, as layout 004 has."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePosixPath

from bench.data.stored.files.roots import SUFFIXES, File, Roots, Unreadable
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.named_files import Named, Paired, Picture
from bench.data.stored.naming.patterns import normal


def pair_by_table(roots: Roots, layout: Layout, found: dict[str, list[Named]], tables: list[File]) -> Paired:
    """Pictures as a table pairs them, a line each: background, picture, mask, depth, between tabs."""
    paired = Paired([], [], [f"paired by {layout.table}"], Counter())
    stems = {
        name: {normal(PurePosixPath(candidate.file.stem).name): candidate for candidate in some}
        for name, some in found.items()
    }
    columns = ("bg", "bg_fg", "mask", "depth")
    used: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        try:
            text = roots.read(table).decode("utf-8-sig")
        except (Unreadable, UnicodeDecodeError) as error:
            paired.problems.append((roots.label(table), f"cannot be read: {error}"))
            continue
        for number, line in enumerate(text.splitlines()):
            cells = dict(zip(columns, (_stem(cell) for cell in line.split("\t")), strict=False))
            if not line.strip() or (number == 0 and cells.get("bg_fg") not in stems.get("bg_fg", {})):
                continue
            missing = [name for name in found if cells.get(name) not in stems[name]]
            if missing:
                gone = ", ".join(f"{name} {cells.get(name) or '(none)'}" for name in missing)
                paired.problems.append((f"{roots.label(table)}, line {number + 1}", f"missing: {gone}"))
                continue
            picture = Picture(stems["bg_fg"][cells["bg_fg"]])
            picture.partners = {name: stems[name][cells[name]].file for name in found if name != "bg_fg"}
            paired.pictures.append(picture)
            for name in found:
                used[name].add(cells[name])
    for name, some in stems.items():
        paired.unused[name] += len(set(some) - used[name])
    return paired


def _stem(cell: str) -> str:
    name = PurePosixPath(cell.strip())
    return normal(name.stem if name.suffix.lower() in SUFFIXES else name.name)
