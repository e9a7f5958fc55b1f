"""Which quartets share a background or an object: they belong to one part of a split."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.data.images.file_names import ENOUGH
from bench.data.stored.files.roots import File, Roots, Unreadable
from bench.data.stored.naming.group_table import TABLE, GroupTable, spellings
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.named_files import Picture
from bench.data.stored.naming.scenes import Scenes, are_frames, by_names, by_plates


@dataclass(frozen=True)
class Grouped:
    """What belongs to one part of a split.

    Attributes:
        groups: background group and object group of each picture; the latter empty where objects have no names.
        notes: what was decided, in sentences.
        doubts: what is likely wrong, in sentences.
        way: what to do where there are too few backgrounds for a split.
    """

    groups: list[tuple[str, str]]
    notes: list[str]
    doubts: list[str]
    way: str


def group_pictures(roots: Roots, layout: Layout, pictures: Sequence[Picture], flips: str, scenes: str) -> Grouped:
    """Background group and object group of each picture.

    Args:
        roots: to compare files that may be equal, and to read the user's table.
        layout: says what ids mean.
        pictures: in order.
        flips: how mirrored objects with numbers of their own are numbered, see `mirrored`.
        scenes: ``file``, ``sequence`` or ``auto``: what pictures without a background's name have in common.

    Raises:
        BadData: a table that says nothing of the data.
        BenchError: flips that are none of these.
    """
    unmirrored = mirrored(flips)
    meanings = [layout.meaning(picture.image.ids) for picture in pictures]
    items = [unmirrored(item) if item else "" for _, item, _ in meanings]
    table = GroupTable(roots)
    files = [_identity(picture) for picture in pictures]
    copies = _copies(roots, files)
    choices = _backgrounds(layout, pictures, [bg for bg, _, _ in meanings], items, scenes)
    for at, chosen in enumerate(choices):
        same = _joined(files, chosen.names, copies)
        backgrounds = [
            _background(table, same, picture, name) for picture, name in zip(pictures, chosen.names, strict=True)
        ]
        few = len(set(backgrounds)) < ENOUGH
        if not few or at + 1 == len(choices) or are_frames(roots, pictures):
            break
    notes = [chosen.note] if chosen.note else []
    if same:
        notes.append(f"{len(same)} groups hold files that others hold, too: they are joined")
    doubt = ""
    if table:
        doubt = table.check(_all_names(pictures, chosen.names, items))
        own = sum(background.startswith("=") for background in backgrounds)
        items = _items(table, pictures, items)
        notes = notes if own < len(pictures) else notes[1:] if chosen.note else notes
        objects = sum(item.startswith("=") for item in items)
        notes.append(
            f"groups as {TABLE} says: of the backgrounds of {own:,} and the objects of {objects:,} of "
            f"{len(pictures):,} pictures"
        )
    way = f"{chosen.way}; " if chosen.way else ""
    return Grouped(
        list(zip(backgrounds, items, strict=True)),
        notes,
        [doubt] if doubt else [],
        f"{way}{TABLE} beside the data may say which pictures are of one scene",
    )


def _backgrounds(
    layout: Layout, pictures: Sequence[Picture], named: list[str], items: list[str], scenes: str
) -> list[Scenes]:
    """The background of each picture; a second choice where the first may turn out to be too few.

    Args:
        layout: of the names.
        pictures: in order.
        named: the background that each name says, empty where it says none.
        items: the object likewise.
        scenes: see `group_pictures`.
    """
    if all(named):
        if len({picture.image.prefix for picture in pictures}) > 1 and not _agree(pictures, named):
            # each folder numbers its own backgrounds
            named = [f"{picture.image.prefix}{bg}" for picture, bg in zip(pictures, named, strict=True)]
        return [Scenes(named)]
    plates = by_plates(pictures)
    if all(items):  # an object whose pictures have no background in common with another's is a group of its own
        crossing = plates is not None and len(set(zip(plates.names, items, strict=True))) > len(set(plates.names))
        return [plates] if plates is not None and crossing else [Scenes(items)]
    return [plates] if plates is not None else by_names(layout, pictures, scenes)


def _background(table: GroupTable, same: dict[str, str], picture: Picture, name: str) -> str:
    """The group of a picture's background: as the table says, or its own, joined with those of the same file."""
    if not table.groups("bg"):
        return _follow(same, name)
    found = table.find("bg", [name]) or table.find("bg", _names(picture))
    while found is None and name in same and same[name] != name:
        name = same[name]
        found = table.find("bg", spellings(name))
    return found or name


def _items(table: GroupTable, pictures: Sequence[Picture], items: list[str]) -> list[str]:
    """The group of each picture's object; without names, those of which the table says nothing stay alone."""
    if not table.groups("fg"):
        return items
    found = [
        table.find("fg", filter(None, [item])) or table.find("fg", spellings(picture.image.file.name)) or item
        for picture, item in zip(pictures, items, strict=True)
    ]
    return [item or picture.image.file.stem for picture, item in zip(pictures, found, strict=True)]


def _names(picture: Picture) -> Iterator[str]:
    """What a user may call a picture's background: the picture, or the background's own file."""
    yield from spellings(picture.image.file.name)
    if "bg" in picture.partners:
        yield from spellings(picture.partners["bg"].name)


def _all_names(pictures: Sequence[Picture], backgrounds: list[str], items: list[str]) -> Iterator[tuple[str, str]]:
    """Pool and name of all that a table may group."""
    for picture, background, item in zip(pictures, backgrounds, items, strict=True):
        yield from (("bg", name) for name in (background, *_names(picture), *spellings(background)))
        yield from (("fg", name) for name in (*filter(None, [item]), *spellings(picture.image.file.name)))


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


def _identity(picture: Picture) -> File:
    """The file that shows a picture's background."""
    return picture.partners.get("bg", picture.image.file)


def _copies(roots: Roots, files: Iterable[File]) -> dict[File, File]:
    """Files with the very content of another, each with the first of its kind."""
    by_size: dict[int, list[File]] = defaultdict(list)
    for file in dict.fromkeys(files):
        by_size[file.size].append(file)
    first: dict[str, File] = {}
    copies: dict[File, File] = {}
    for some in by_size.values():
        if len(some) < 2:  # another length, another file
            continue
        for file in some:
            try:
                content = hashlib.sha256(roots.read(file)).hexdigest()
            except Unreadable:
                continue  # named when it is decoded
            if first.setdefault(content, file) != file:
                copies[file] = first[content]
    return copies


def _joined(files: Sequence[File], groups: Sequence[str], copies: dict[File, File]) -> dict[str, str]:
    """Groups that hold a file of another group, or its copy, each with that other's name."""
    same: dict[str, str] = {}

    def join(group: str, other: str) -> None:
        group, other = _follow(same, group), _follow(same, other)
        if group != other:
            same[group] = other

    holders: dict[File, str] = {}
    for file, group in zip(files, groups, strict=True):
        join(group, holders.setdefault(file, group))
    for file, first in copies.items():
        join(holders[file], holders[first])
    return same


def _follow(names: dict[str, str], name: str) -> str:
    while name in names and names[name] != name:
        name = names[name]
    return name
