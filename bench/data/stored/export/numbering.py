"""Which number an exported background or quartet gets; the same when an export that was stopped goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.data.stored.export.writers import Place


@dataclass(frozen=True)
class Written:
    """One quartet that was written.

    Attributes:
        place: its numbers.
        digest: of its background's pixels.
        group: number of its background group in the source.
        box: of its object: left, top, width, height in pixels.
        lost: fields of which a part is unknown, and for which the layout has no number for that.
    """

    place: Place
    digest: str
    group: int
    box: tuple[int, int, int, int]
    lost: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Written:
        """The inverse of `dataclasses.asdict`."""
        return cls(Place(**line["place"]), line["digest"], line["group"], tuple(line["box"]), tuple(line["lost"]))


class Numbering:
    """Numbers of backgrounds, and of the quartets of each pair of background and object, in the order of their coming.

    Args:
        done: quartets of an earlier attempt.
    """

    def __init__(self, done: Sequence[Written]) -> None:
        self._backgrounds: dict[str, int] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        for written in done:
            place = written.place
            self._backgrounds[written.digest] = place.bg
            self._pairs[place.bg, place.fg] = place.n

    def background(self, digest: str) -> tuple[int, bool]:
        """Number of a background, and whether it is new."""
        new = digest not in self._backgrounds
        return self._backgrounds.setdefault(digest, len(self._backgrounds) + 1), new

    def next_of(self, bg: int, fg: int) -> int:
        """Number of the next quartet of a pair."""
        self._pairs[bg, fg] = self._pairs.get((bg, fg), 0) + 1
        return self._pairs[bg, fg]
