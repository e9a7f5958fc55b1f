"""Which background file belongs to which picture: by its name, or, where names carry no number, by the alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bench.data.stored.files.roots import File, Roots, Unreadable
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.named_files import SAME_IDS, Named, Paired, Picture


def give_backgrounds(
    roots: Roots, layout: Layout, backgrounds: list[Named], pictures: Iterable[Picture], paired: Paired
) -> None:
    """Find the background of every picture.

    Args:
        roots: to name files.
        layout: which names the background of a picture may have.
        backgrounds: files that a pattern without ids took.
        pictures: get a partner ``bg`` where it is found.
        paired: gets what is left over, and what was decided.
    """
    pictures = list(pictures)
    by_stem: dict[str, Named] = {}
    by_place: dict[tuple[str, str], Named] = {}
    others: list[Named] = []
    for candidate in backgrounds:
        stem = candidate.ids["stem"]
        first = by_stem.setdefault(stem, candidate)
        if first is not candidate and not are_equal(roots, first.file, candidate.file):
            others.append(candidate)
            first = candidate
        by_place.setdefault((candidate.prefix, stem), first)
    doubtful = {other.ids["stem"] for other in others}
    named = [_by_name(layout, by_stem, by_place, doubtful, picture) for picture in pictures]
    used = {(background.prefix, background.ids["stem"]) for background in named if background is not None}
    for other in others:  # of several of one name each belongs to the pictures in its own folder
        first, place = by_stem[other.ids["stem"]], (other.prefix, other.ids["stem"])
        if place not in used or by_place[place] is not other:
            paired.problems.append((roots.label(other.file), f"{SAME_IDS} {roots.label(first.file)}"))
    if layout.by_order and not any(named):
        counted = sorted(by_stem.values(), key=lambda candidate: candidate.file.name)
        numbered = any(re.search(r"\d", stem) for stem in by_stem)
        paired.notes.append(
            f"background names carry {'other numbers than the pictures' if numbered else 'no number'}: they are "
            f"counted off in alphabetical order, {counted[0].file.basename} is number 1"
        )
        places = [int(layout.meaning(picture.image.ids)[0]) - 1 for picture in pictures]
        if max(places, default=0) < len(counted):
            named = [counted[place] for place in places]
        else:  # whichever is missing, all that follow it would be paired with their neighbours' pictures
            where = roots.label(counted[0].file).rpartition("/")[0]
            reason = f"{len(counted)} backgrounds without numbers, but pictures of number {max(places) + 1}"
            paired.problems.append((where, reason))
    for picture, background in zip(pictures, named, strict=True):
        if background is not None:
            picture.partners["bg"] = background.file
    taken = {background.file for background in named if background is not None}
    paired.unused["bg"] += len(by_stem) + len(others) - len(taken)


def _by_name(
    layout: Layout,
    by_stem: dict[str, Named],
    by_place: dict[tuple[str, str], Named],
    doubtful: set[str],
    picture: Picture,
) -> Named | None:
    """The background of a picture: of several of one name that which lies where the picture does."""
    bg, item, _ = layout.meaning(picture.image.ids)
    for name in layout.backgrounds(bg, item):
        if name in by_stem:
            own = by_place.get((picture.image.prefix, name))
            return own if own is not None or name in doubtful else by_stem[name]
    return None


def are_equal(roots: Roots, a: File, b: File) -> bool:
    """Whether two files are the same one twice, as backgrounds are that every part of a set brings along."""
    try:
        return a.size == b.size and roots.read(a) == roots.read(b)
    except Unreadable:
        return False
