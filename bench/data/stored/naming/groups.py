"""Which quartets share a background or an object: they belong to one part of a split."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from bench.core.errors import BenchError
from bench.data.images.file_names import sequences
from bench.data.stored.files.roots import File, Roots, Unreadable
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.named_files import Picture

TABLE = "groups.txt"
"""The user's file beside the data: ``bg`` or ``fg``, a name or number, and its group, between tabs, a line each."""
_ENOUGH = 3


def group_pictures(
    roots: Roots, layout: Layout, pictures: Sequence[Picture], flips: str, scenes: str
) -> tuple[list[tuple[str, str]], list[str]]:
    """Background group and object group of each picture (the latter empty where objects have no names), and notes.

    Args:
        roots: to compare files that may be equal.
        layout: says what ids mean.
        pictures: in order.
        flips: how mirrored objects with numbers of their own are numbered, see `mirrored`.
        scenes: ``file``, ``sequence`` or ``auto``: what pictures without a background's name have in common.

    Raises:
        BenchError: flips that are none of these.
    """
    notes: list[str] = []
    unmirrored = mirrored(flips)
    meanings = [layout.meaning(picture.image.ids) for picture in pictures]
    items = [unmirrored(item) if item else "" for _, item, _ in meanings]
    if all(bg for bg, _, _ in meanings):
        groups = [bg for bg, _, _ in meanings]
        several = len({picture.image.prefix for picture in pictures}) > 1 and not _agree(pictures, groups)
        if several:  # each folder numbers its own backgrounds
            groups = [f"{picture.image.prefix}{bg}" for picture, bg in zip(pictures, groups, strict=True)]
    elif all(items):
        groups = list(items)
    else:
        groups, rule = _scenes(pictures, scenes)
        notes.append(rule)
    same = _one_content(roots, [_identity(picture) for picture in pictures], groups)
    if same:
        notes.append(f"{len(same)} groups hold files that others hold, too: they are joined")
    table = _read_table(roots)
    names = {pool: {**(same if pool == "bg" else {}), **table.get(pool, {})} for pool in ("bg", "fg")}
    final = [(_follow(names["bg"], bg), _follow(names["fg"], item)) for bg, item in zip(groups, items, strict=True)]
    if table:
        notes.append(f"groups as {TABLE} says")
    return final, notes


def mirrored(flips: str) -> Callable[[str], str]:
    """From an object's number to that of the object it mirrors.

    Args:
        flips: ``none`` (mirrored objects bear the number of what they mirror), ``pairs`` (2 mirrors 1, 4 mirrors 3),
            or a number to be taken off, such as 100: 101 mirrors 1.

    Raises:
        BenchError: something else.
    """
    if flips == "none":
        return lambda item: item
    if flips == "pairs":
        return lambda item: str((int(item) - 1) // 2 * 2 + 1) if item.isdigit() else item
    if flips.isdigit() and int(flips) > 0:
        return lambda item: str((int(item) - 1) % int(flips) + 1) if item.isdigit() else item
    raise BenchError(f"--flips is none, pairs, or how much greater the number of a mirrored object is, not {flips!r}")


def _agree(pictures: Sequence[Picture], groups: Sequence[str]) -> bool:
    """Whether pictures of the same background number have the same background file, in whichever folder they lie."""
    files: dict[str, File | None] = {}
    for picture, group in zip(pictures, groups, strict=True):
        if files.setdefault(group, picture.partners.get("bg")) != picture.partners.get("bg"):
            return False
    return True


def _scenes(pictures: Sequence[Picture], rule: str) -> tuple[list[str], str]:
    """A group for each picture whose name says nothing of its background, and the rule in a sentence."""
    stems = [picture.image.file.stem for picture in pictures]
    if "file" in (pictures[0].image.ids if pictures else {}):
        rule = "file"
    plates = {picture.partners["bg"] for picture in pictures if "bg" in picture.partners}
    if 0 < len(plates) < len(pictures):
        return [picture.partners["bg"].name for picture in pictures], f"a scene for each of {len(plates)} plates"
    paths = [PurePosixPath(stem) for stem in stems]
    videos = [
        f"{path.parent}/{name}" for path, name in zip(paths, sequences([path.name for path in paths]), strict=True)
    ]
    count = len(set(videos))
    numbered = count < len(stems)
    if rule == "auto":
        rule = "sequence" if numbered else "file"
    if rule == "file":
        return stems, f"each of {len(stems)} pictures is a scene of its own"
    return (
        videos,
        f"numbered files are one sequence: {count} scenes of {len(stems)} pictures (--scenes file: each its own)",
    )


def _identity(picture: Picture) -> File:
    """The file that shows a picture's background."""
    return picture.partners.get("bg", picture.image.file)


def _one_content(roots: Roots, files: Iterable[File], groups: Iterable[str]) -> dict[str, str]:
    """Groups that hold the very file of another group, each with that other's name."""
    holders: dict[File, str] = {}
    for file, group in zip(files, groups, strict=True):
        holders.setdefault(file, group)
    by_size: dict[int, list[File]] = defaultdict(list)
    for file in holders:
        by_size[file.size].append(file)
    first: dict[str, str] = {}
    same: dict[str, str] = {}
    for some in by_size.values():
        if len(some) < 2:  # another length, another file
            continue
        for file in some:
            try:
                content = hashlib.sha256(roots.read(file)).hexdigest()
            except Unreadable:
                continue  # named when it is decoded
            group = holders[file]
            other = _follow(same, first.setdefault(content, group))
            if _follow(same, group) != other:
                same[_follow(same, group)] = other
    return same


def _follow(names: dict[str, str], name: str) -> str:
    while name in names and names[name] != name:
        name = names[name]
    return name


def has_table(roots: Roots) -> bool:
    """Whether a user's file beside the data decides groups."""
    return any(file.basename == TABLE for file in roots.files)


def _read_table(roots: Roots) -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = {}
    for file in roots.files:
        if file.basename != TABLE:
            continue
        for line in roots.read(file).decode("utf-8-sig", "replace").splitlines():
            cells = re.split(r"\t", line.strip())
            if len(cells) == 3:
                # The equals sign keeps a group's name apart from the numbers that are renamed.
                table.setdefault(cells[0], {})[cells[1]] = f"={cells[2]}"
    return table
