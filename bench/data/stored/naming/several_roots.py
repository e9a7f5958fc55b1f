"""Sets in several roots that number alike: the same names, other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.data.stored.files.roots import File, Roots
from bench.data.stored.naming.backgrounds import are_equal
from bench.data.stored.naming.named_files import Named


def number_alike(roots: Roots, found: Mapping[str, Sequence[Named]]) -> bool:
    """Whether pictures of several roots have the same names, and each of these roots holds all fields by itself.

    Where two of them are the very same picture the roots hold one set twice, which is none of this.

    Args:
        roots: to compare files.
        found: files by field.
    """
    if len(roots.paths) < 2:
        return False
    first: dict[tuple[str, ...], File] = {}
    several = False
    for image in found.get("bg_fg", ()):
        key = (image.prefix, *(f"{name}={value}" for name, value in sorted(image.ids.items())))
        other = first.setdefault(key, image.file)
        if other.root != image.file.root:
            several = True
            if are_equal(roots, other, image.file):
                return False
    holders = {name: {named.file.root for named in some} for name, some in found.items()}
    return several and all(places == holders["bg_fg"] for places in holders.values())


def by_root(found: Mapping[str, Sequence[Named]]) -> dict[str, list[Named]]:
    """The same files, each with its root before the folder."""
    return {
        name: [replace(named, prefix=f"{root_of(named)}{named.prefix}") for named in some]
        for name, some in found.items()
    }


def root_of(named: Named) -> str:
    """A file's root, as a folder."""
    return f"root {named.file.root + 1}/"
