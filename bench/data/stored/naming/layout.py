"""What a layout of files is: which names hold which field, what ids mean, how depth and masks are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bench.data.stored.naming.patterns import Ids, Pattern

Meaning = tuple[str, str, str]
"""What the ids of a picture mean: background, object (a mirror image being the object it mirrors), and the rest."""


def by_ids(ids: Ids) -> Meaning:
    """The meaning of ids that are called ``bg`` and ``fg``."""
    rest = "/".join(ids[name] for name in sorted(ids) if name not in ("bg", "fg"))
    return ids.get("bg", ""), ids.get("fg", ""), rest


@dataclass(frozen=True)
class Layout:
    """One way to name files.

    Attributes:
        name: as it is given to ``--files``.
        summary: a line for lists.
        patterns: which names hold which field; the first that fits a name takes it.
        meaning: what the ids of a picture mean.
        backgrounds: names, without suffix, that the background may have, from the ids of background and object.
        scene: what a path has as group ``scene`` is of one scene, where ids do not say it; empty if that is the root.
        by_order: whether backgrounds whose names carry no number are counted off in alphabetical order.
        unit: of depth, a key of `DEPTH_UNITS`, or ``auto``.
        encoding: what the layout's authors made a depth of 1.0 mean, where that is not the unit's.
        mask_values: values of masks that mean something else than white on black, see `mask_values`.
        partial: whether pictures without a partner are usual, and left out silently.
        table: the text file that pairs names, if any.
        companions: text files that are written beside it, and not read; members of `COMPANIONS`.
    """

    name: str
    summary: str
    patterns: tuple[Pattern, ...]
    meaning: Callable[[Ids], Meaning] = by_ids
    backgrounds: Callable[[str, str], tuple[str, ...]] = lambda bg, item: (bg,)
    scene: re.Pattern[str] | None = None
    by_order: bool = False
    unit: str = "auto"
    encoding: str | None = None
    mask_values: str | None = None
    partial: bool = False
    table: str | None = None
    companions: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """The fields that files may hold."""
        return frozenset(pattern.field for pattern in self.patterns)
