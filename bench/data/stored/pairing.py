"""Which files make one quartet: by what their names say, never by where they stand in a list."""

from __future__ import annotations

import bisect
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bench.data.stored.layouts import Layout
from bench.data.stored.naming import Ids, Pattern, normal
from bench.data.stored.roots import SUFFIXES, TABLES, File, Roots, Unreadable

_APART_SECONDS = 0.02
Problem = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Named:
    """A file with what its name says.

    Attributes:
        file: the file.
        prefix: the folder in front of what the pattern names.
        ids: what was parsed, each in one spelling.
    """

    file: File
    prefix: str
    ids: Ids


@dataclass(slots=True)
class Picture:
    """One bg_fg with its partners.

    Attributes:
        image: the picture.
        partners: the files of other fields, by field.
    """

    image: Named
    partners: dict[str, File] = field(default_factory=dict)


@dataclass
class Paired:
    """What pairing found.

    Attributes:
        pictures: those that have all their partners.
        problems: files without a partner, or with two.
        notes: what was decided, in sentences.
        unused: files that a field's pattern took and nothing needed, by field.
    """

    pictures: list[Picture]
    problems: list[Problem]
    notes: list[str]
    unused: Counter[str]


def sort_by_field(files: Iterable[File], layout: Layout) -> tuple[dict[str, list[Named]], Counter[str]]:
    """The files of each field, and how many no pattern takes, by suffix."""
    found: dict[str, list[Named]] = {candidate.field: [] for candidate in layout.patterns}
    strange: Counter[str] = Counter()
    for file in files:
        named = _parse(file, layout.patterns)
        if named is not None:
            found[named[0]].append(named[1])
        elif PurePosixPath(file.name).name not in TABLES:
            strange[file.suffix] += 1
    return {name: some for name, some in found.items() if some}, strange


def pair(roots: Roots, layout: Layout, found: dict[str, list[Named]]) -> Paired:
    """Join the fields.

    Args:
        roots: to name files, and to read a layout's table.
        layout: whose patterns took them.
        found: files by field.
    """
    if layout.table is not None:
        tables = [file for file in roots.files if PurePosixPath(file.name).name == layout.table]
        if tables:
            return _by_table(roots, layout, found, tables)
    return _by_ids(roots, layout, found)


def _parse(file: File, patterns: Sequence[Pattern]) -> tuple[str, Named] | None:
    stem, suffix = file.stem, file.suffix
    for candidate in patterns:
        parsed = candidate.parse(stem, suffix)
        if parsed is not None:
            prefix, ids = parsed
            after = ids.pop("m", "")  # some write the number behind the field's own word
            if after and not ids.get("n"):
                ids["n"] = after
            return candidate.field, Named(file, prefix, {name: normal(value) for name, value in ids.items()})
    return None


def _by_ids(roots: Roots, layout: Layout, found: dict[str, list[Named]]) -> Paired:
    images, problems, notes = found.get("bg_fg", []), list[Problem](), list[str]()
    if images and "time" in images[0].ids:
        found = {**found, **{name: _nearest_in_time(images, some) for name, some in found.items() if name != "bg_fg"}}
    with_prefix = len({tuple(sorted(image.ids.items())) for image in images}) < len(images)
    paired = Paired([], problems, notes, Counter())
    by_key: dict[tuple[str, ...], Picture] = {}
    for image in images:
        key = _key(image, sorted(image.ids), with_prefix)
        if key in by_key:
            problems.append((roots.label(image.file), f"has the ids of {roots.label(by_key[key].image.file)}"))
            continue
        by_key[key] = Picture(image)
    taken: Counter[str] = Counter()
    for name, some in found.items():
        if name == "bg_fg" or (name == "bg" and "stem" in some[0].ids):
            continue
        shared = sorted(set(some[0].ids) & set(images[0].ids)) if images else []
        files: dict[tuple[str, ...], Named] = {}
        for candidate in some:
            key = _key(candidate, shared, with_prefix)
            if key in files and name != "bg":
                problems.append((roots.label(candidate.file), f"has the ids of {roots.label(files[key].file)}"))
                continue
            files.setdefault(key, candidate)
        used = set()
        for picture in by_key.values():
            key = _key(picture.image, shared, with_prefix)
            if key not in files and with_prefix:  # a plate, say, may lie above the folders of the pictures
                key = ("", *key[1:])
            if key in files:
                picture.partners[name] = files[key].file
                used.add(key)
        taken[name] = len(used)
        left = [candidate for key, candidate in files.items() if key not in used]
        if name == "bg" or layout.partial:
            paired.unused[name] += len(left)
        else:
            problems += [
                (roots.label(candidate.file), f"missing: no picture belongs to this {name}") for candidate in left
            ]
    if "bg" in found and "stem" in found["bg"][0].ids:
        _give_backgrounds(roots, layout, found["bg"], by_key.values(), paired)
    _keep_complete(roots, layout, found, by_key.values(), paired)
    return paired


def _key(named: Named, names: Sequence[str], with_prefix: bool) -> tuple[str, ...]:
    ids = tuple(named.ids[name] for name in names)
    return (named.prefix, *ids) if with_prefix else ids


def _keep_complete(
    roots: Roots, layout: Layout, found: dict[str, list[Named]], pictures: Iterable[Picture], paired: Paired
) -> None:
    """Keep the pictures with all partners that the set has at all."""
    for picture in pictures:
        missing = [name for name in found if name != "bg_fg" and name not in picture.partners]
        if not missing:
            paired.pictures.append(picture)
        elif layout.partial:
            paired.unused["bg_fg"] += 1
        else:
            paired.problems.append((roots.label(picture.image.file), f"missing: its {' and its '.join(missing)}"))


def _give_backgrounds(
    roots: Roots, layout: Layout, backgrounds: list[Named], pictures: Iterable[Picture], paired: Paired
) -> None:
    """Find backgrounds by name, or, where no name carries a number, by the alphabet."""
    by_stem: dict[str, Named] = {}
    for candidate in backgrounds:
        stem = candidate.ids["stem"]
        if stem in by_stem and not _are_one(by_stem[stem].file, candidate.file):
            paired.problems.append((roots.label(candidate.file), f"has the ids of {roots.label(by_stem[stem].file)}"))
        by_stem.setdefault(stem, candidate)
    counted: list[Named] | None = None
    if layout.by_order and not _all_named(layout, by_stem, pictures):
        counted = sorted(by_stem.values(), key=lambda candidate: candidate.file.name)
        numbered = any(re.search(r"\d", stem) for stem in by_stem)
        paired.notes.append(
            f"background names carry {'other numbers than the pictures' if numbered else 'no number'}: they are "
            f"counted off in alphabetical order, {PurePosixPath(counted[0].file.name).name} is number 1"
        )
    used = set()
    for picture in pictures:
        number = layout.meaning(picture.image.ids)[0]
        named = next((by_stem[name] for name in _candidates(layout, picture.image.ids) if name in by_stem), None)
        if counted is not None:
            place = int(number) - 1
            named = counted[place] if 0 <= place < len(counted) else None
        if named is not None:
            picture.partners["bg"] = named.file
            used.add(named.file)
    paired.unused["bg"] += len(by_stem) - len(used)


def _candidates(layout: Layout, ids: Ids) -> Iterator[str]:
    """Names that a picture's background may have."""
    bg, item, _ = layout.meaning(ids)
    if layout.name == "001":
        yield f"{bg}_bg_{item}"  # some name the background by all that stands before _fg
    yield from layout.backgrounds(bg)


def _all_named(layout: Layout, by_stem: dict[str, Named], pictures: Iterable[Picture]) -> bool:
    return all(any(name in by_stem for name in _candidates(layout, picture.image.ids)) for picture in pictures)


def _are_one(a: File, b: File) -> bool:
    """Whether two zips hold one background twice; its size is compared, its content when it is decoded."""
    return a.size == b.size


def _by_table(roots: Roots, layout: Layout, found: dict[str, list[Named]], tables: list[File]) -> Paired:
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


def _nearest_in_time(images: list[Named], others: list[Named]) -> list[Named]:
    """Files with the time of the picture nearest to theirs, where that is near enough; each picture gets one."""
    if not others or "time" not in others[0].ids:
        return others
    times = sorted(((_seconds(candidate), candidate) for candidate in images), key=lambda pair: pair[0])
    clock = [at for at, _ in times]
    best: dict[File, tuple[float, Named]] = {}
    for candidate in others:
        at = _seconds(candidate)
        place = bisect.bisect(clock, at)
        near = [times[i] for i in (place - 1, place) if 0 <= i < len(times) and times[i][1].prefix == candidate.prefix]
        for when, image in sorted(near, key=lambda pair: abs(pair[0] - at))[:1]:
            apart = abs(when - at)
            if apart <= _APART_SECONDS and (image.file not in best or apart < best[image.file][0]):
                best[image.file] = (apart, Named(candidate.file, candidate.prefix, image.ids))
    return [named for _, named in best.values()]


def _seconds(named: Named) -> float:
    return float(PurePosixPath(named.file.stem).name)
