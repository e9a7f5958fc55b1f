"""Which background file belongs to which picture: by its name, or, where names carry no number, by the alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bench.data.stored.files.roots import File, Roots, Unreadable
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.named_files import Named, Paired, Picture


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
    for candidate in backgrounds:
        stem = candidate.ids["stem"]
        if stem in by_stem and not are_equal(roots, by_stem[stem].file, candidate.file):
            paired.problems.append((roots.label(candidate.file), f"has the ids of {roots.label(by_stem[stem].file)}"))
        by_stem.setdefault(stem, candidate)
    named = [_by_name(layout, by_stem, picture) for picture in pictures]
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
    paired.unused["bg"] += len(by_stem) - len({background.file for background in named if background is not None})


def _by_name(layout: Layout, by_stem: dict[str, Named], picture: Picture) -> Named | None:
    bg, item, _ = layout.meaning(picture.image.ids)
    return next((by_stem[name] for name in layout.backgrounds(bg, item) if name in by_stem), None)


def are_equal(roots: Roots, a: File, b: File) -> bool:
    """Whether two files are the same one twice, as backgrounds are that every part of a set brings along."""
    try:
        return a.size == b.size and roots.read(a) == roots.read(b)
    except Unreadable:
        return False
