"""Which files make a quartet: by what their names say, never by their place in a list."""

from __future__ import annotations

import bisect
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from bench.core.errors import BadData
from bench.data.stored.files.roots import File, Roots
from bench.data.stored.naming.backgrounds import are_equal, give_backgrounds
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.named_files import SAME_IDS, Named, Paired, Picture, Problem
from bench.data.stored.naming.pair_table import pair_by_table
from bench.data.stored.naming.several_roots import by_root, number_alike, root_of

_APART_SECONDS = 0.02
_CLOCKS = "files are paired by the seconds in their names: set the clocks to each other there, or name files alike"


def pair(roots: Roots, layout: Layout, found: dict[str, list[Named]]) -> Paired:
    """Join the fields.

    Args:
        roots: to name files, and to read a layout's table.
        layout: whose patterns took them.
        found: files by field.

    Raises:
        BadData: files are paired by their times, and those of a field are near no picture's.
    """
    if layout.table is not None:
        tables = [file for file in roots.files if file.basename == layout.table]
        if tables:
            return pair_by_table(roots, layout, found, tables)
    return _by_ids(roots, layout, found)


def _by_ids(roots: Roots, layout: Layout, found: dict[str, list[Named]]) -> Paired:
    problems, notes = list[Problem](), list[str]()
    apart = number_alike(roots, found)
    if apart:
        found = by_root(found)
        notes.append("roots hold other files of the same names: each is a set of its own")
    images = found.get("bg_fg", [])
    if images and "time" in images[0].ids:
        near = {name: _nearest_in_time(images, some) for name, some in found.items() if name != "bg_fg"}
        if far := [name for name, some in near.items() if not some]:
            where = ", ".join(str(path) for path in roots.paths)
            raise BadData([*roots.problems, *((where, _gap(name, images, found[name])) for name in far)], _CLOCKS)
        found = {**found, **near}
    with_prefix = len({tuple(sorted(image.ids.items())) for image in images}) < len(images)
    paired = Paired([], problems, notes, Counter())
    by_key: dict[tuple[str, ...], Picture] = {}
    for image in images:
        key = _key(image, sorted(image.ids), with_prefix)
        if key in by_key:
            problems.append((roots.label(image.file), f"{SAME_IDS} {roots.label(by_key[key].image.file)}"))
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
            if key in files and not (name == "bg" and are_equal(roots, files[key].file, candidate.file)):
                problems.append((roots.label(candidate.file), f"{SAME_IDS} {roots.label(files[key].file)}"))
                continue
            files.setdefault(key, candidate)
        used = set()
        for picture in by_key.values():
            key = _key(picture.image, shared, with_prefix)
            if key not in files and with_prefix:  # a plate, say, may lie above the folders of the pictures
                key = (root_of(picture.image) if apart else "", *key[1:])
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
        give_backgrounds(roots, layout, found["bg"], by_key.values(), paired)
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


def _nearest_in_time(images: list[Named], others: list[Named]) -> list[Named]:
    """Files with the time of the picture nearest to theirs, where that is near enough; at most one for each picture."""
    if not others or "time" not in others[0].ids:
        return others
    folders: dict[str, list[tuple[float, Named]]] = defaultdict(list)
    for image in images:
        folders[image.prefix].append((_seconds(image), image))
    for some in folders.values():
        some.sort(key=lambda pair: pair[0])
    clocks = {prefix: [at for at, _ in some] for prefix, some in folders.items()}
    best: dict[File, tuple[float, Named]] = {}
    for candidate in others:
        at, times = _seconds(candidate), folders.get(candidate.prefix, [])
        place = bisect.bisect(clocks.get(candidate.prefix, []), at)
        near = [times[i] for i in (place - 1, place) if 0 <= i < len(times)]
        for when, image in sorted(near, key=lambda pair: abs(pair[0] - at))[:1]:
            apart = abs(when - at)
            if apart <= _APART_SECONDS and (image.file not in best or apart < best[image.file][0]):
                best[image.file] = (apart, Named(candidate.file, candidate.prefix, image.ids))
    return [named for _, named in best.values()]


def _gap(name: str, images: list[Named], others: list[Named]) -> str:
    """How far the times of a field's files lie from the pictures'."""
    clocks: dict[str, list[float]] = {}
    for image in images:
        clocks.setdefault(image.prefix, []).append(_seconds(image))
    gaps = [
        min((_seconds(some) - at for at in clocks[some.prefix]), key=abs) for some in others if some.prefix in clocks
    ]
    if not gaps:
        return f"no picture lies in a folder beside one of {name}"
    typical = statistics.median(gaps)
    return (
        f"no {name} within {_APART_SECONDS:g} s of a picture: its clock is {abs(typical):.3f} s "
        f"{'ahead of' if typical > 0 else 'behind'} theirs (median of the nearest)"
    )


def _seconds(named: Named) -> float:
    return float(PurePosixPath(named.file.stem).name)
