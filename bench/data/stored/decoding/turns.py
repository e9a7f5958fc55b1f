"""Whether a picture's EXIF orientation leaves open how its partners lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.data.stored.catalogue import QuartetFiles
from bench.data.stored.decoding.fields import ASPECT_TOLERANCE
from bench.data.stored.decoding.images import orientation
from bench.data.stored.files.roots import Roots, Unreadable

_LOOKED_AT = 12


def note_turns(roots: Roots, entries: Sequence[QuartetFiles]) -> str:
    """That partners are taken as they lie though their pictures are turned; empty where shapes leave no choice.

    Args:
        roots, entries: the quartets; a sample of them is looked at. What was drawn on a picture's pixels before they
            were turned has another shape then, unless the picture is square or is turned by a half or mirrored.
    """
    open_to_doubt: Counter[str] = Counter()
    step = max(1, len(entries) // _LOOKED_AT)
    sample = entries[::step][:_LOOKED_AT]
    for entry in sample:
        try:
            turn, aspect = orientation(roots.read(entry.image))
            for name, file in entry.partners.items() if turn != 1 else ():
                other, shape = orientation(roots.read(file))
                open_to_doubt[name] += other == 1 and abs(shape / aspect - 1) <= ASPECT_TOLERANCE
        except Unreadable:
            continue  # named when all are decoded
    names = sorted(name for name, count in open_to_doubt.items() if count)
    if not names:
        return ""
    return (
        f"of {len(sample)} pictures looked at {max(open_to_doubt.values())} are turned by their EXIF orientation, "
        f"their {' and '.join(names)} by none: taken as of the turned picture (see the sheet of bench data inspect)"
    )
