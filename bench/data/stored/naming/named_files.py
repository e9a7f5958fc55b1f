"""Files with what their names say, and the quartets that they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.core.progress import Progress, no_progress
from bench.data.stored.files.roots import TABLES, File
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.patterns import Ids, Pattern, normal

Problem = tuple[str, str]
SAME_IDS = "has the ids of"
"""Of a file and another, why the former is of no use."""
_TOLD_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Named:
    """A file with what its name says.

    Attributes:
        file: the file.
        prefix: the folder in front of what the pattern names.
        ids: what was parsed, each in its normal spelling.
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


def sort_by_field(
    files: Sequence[File], layout: Layout, progress: Progress = no_progress
) -> tuple[dict[str, list[Named]], Counter[str]]:
    """The files of each field, and how many no pattern takes, by suffix."""
    found: dict[str, list[Named]] = {candidate.field: [] for candidate in layout.patterns}
    strange: Counter[str] = Counter()
    for place, file in enumerate(files):
        if place % _TOLD_EVERY == 0:
            progress("sorting files", place, len(files))
        named = _parse(file, layout.patterns)
        if named is not None:
            found[named[0]].append(named[1])
        elif file.basename not in TABLES:
            strange[file.suffix] += 1
    return {name: some for name, some in found.items() if some}, strange


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
