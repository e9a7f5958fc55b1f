"""As what the depth files of a set are read: as declared, as the layout implies, or guessed from their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.core.errors import BenchError
from bench.data.depth_units import DepthFacts, DepthUnit, depth_unit, doubt, for_type, guess, scaled
from bench.data.images.colour_maps import NAMES, Colours, colour_map, entries, likely
from bench.data.stored.decoding.images import BadFile
from bench.data.stored.decoding.numbers import Array, colours_of, kind_of, numbers_of
from bench.data.stored.files.roots import File, Roots, Unreadable

_LOOKED_AT = 24
_ORIGINS = {
    "declared": "as declared",
    "implied": "as the layout implies",
    "guessed": "guessed",
    "teacher": "as it says",
}


@dataclass(frozen=True)
class DepthFormat:
    """The unit, and what it makes of the files.

    Attributes:
        unit: how numbers are read.
        colour_map: of files in colours.
        known: share of the pixels where depth is known.
        median: of the known depths, in [0, 1].
        blur: median distance of colours from their map, in levels of 255.
        origin: who says that it is this unit: ``declared``, ``implied`` by the layout, ``guessed``, or a
            ``teacher`` of itself.
        warning: why the unit seems wrong; empty where it does not.
        overruled: whether it is another unit than the one that the layout, or a guess, would have given.
        kind: of the files' numbers, see `DepthFacts`; None where no file could be read, or of a teacher.
    """

    unit: DepthUnit
    colour_map: str | None
    known: float
    median: float
    blur: float | None
    origin: str
    warning: str
    overruled: bool = False
    kind: str | None = None

    def choice(self) -> dict[str, Any]:
        """What a user decided that the encoding does not say: several units have the same; for a description."""
        name = {"depth_unit": self.unit.name} if self.overruled else {}
        return {**name, "depth_from": self.unit.least} if self.unit.least else name

    def facts(self) -> dict[str, Any]:
        """The same as JSON, for a record."""
        return {
            "unit": self.unit.name,
            "known": round(self.known, 4),
            "median": round(self.median, 4),
            "origin": self.origin,
        }

    def sentence(self) -> str:
        """The same in a sentence."""
        how = _ORIGINS[self.origin]
        metres = f" ({self.median * self.unit.full / self.unit.per_metre:.2f} m)" if self.unit.per_metre else ""
        colours = f", colours of {self.colour_map}, {self.blur:.1f} of 255 off" if self.colour_map else ""
        full = f"{self.unit.full:g}"
        is_plain = self.unit.per_metre is None and self.colour_map is None and self.unit.name != "teacher"
        number = f", {full} in the files" if is_plain and full not in self.unit.encoding else ""
        return (
            f"depth in {self.unit.name}, {how}: {self.unit.encoding}{number}; known in {self.known:.0%} of the pixels, "
            f"median {self.median:.3f}{metres}{colours}"
        )


def find_depth_format(
    roots: Roots,
    files: Sequence[File],
    declared: str,
    implied: str,
    scale: float | None,
    span: tuple[float, float] | None,
    map_name: str | None,
) -> DepthFormat:
    """Decide the unit.

    Args:
        roots, files: the depth files; a sample of them is read.
        declared: a key of `DEPTH_UNITS`, or ``auto``.
        implied: what the layout says, or ``auto``.
        scale: numbers to a metre, instead of a unit.
        span: least and greatest depth that are known, in metres (of a relative unit, in its numbers).
        map_name: the colour map; None to find it.

    Raises:
        BenchError: an unknown unit or map, two of them, or a range that is none.
    """
    if scale is not None and declared != "auto":
        raise BenchError("--depth-scale and --depth-unit contradict each other; give either")
    if map_name is not None:
        colour_map(map_name)
    chosen = declared if declared != "auto" else implied
    guessed = scale is None and chosen == "auto"
    origin = "guessed" if guessed else "declared" if scale is not None or declared != "auto" else "implied"
    maps, kind, found_map, blur = _sample(roots, files, map_name, chosen)
    facts = DepthFacts.of(maps, kind) if maps else DepthFacts(kind, 0.0, (0.0,) * 5)
    if scale is not None:
        unit = scaled(scale, *(span or ()))
    else:
        unit = guess(facts) if guessed else depth_unit(chosen)
        if unit.name == "colormap" and kind != "rgb":
            if declared == "colormap":
                raise BenchError("--depth-unit colormap, but the depth maps are grey")
            unit, origin = guess(facts), "guessed"
        unit = unit.over(*span) if span is not None else for_type(unit, facts)
    if unit.name == "colormap":
        unit = replace(unit, encoding=f"colour map {found_map}, 1.0 = its last entry")
    values = np.concatenate([unit.read(numbers).ravel() for numbers in maps]) if maps else np.zeros(0)
    is_known = values >= 0
    known = float(is_known.mean()) if len(values) else 0.0
    median = float(np.median(values[is_known])) if is_known.any() else 0.0
    warning = doubt(facts, unit, guessed) if maps else "no depth map could be read"
    if warning is None and len(values) and known < 0.5 and facts.known > 2 * known:
        beyond = f"{facts.known - known:.0%} of the pixels lie beyond what becomes 1.0 ({unit.encoding})"
        warning = f"{beyond}; give another --depth-range"
    if blur is not None and blur > 24:
        warning = f"the colours are not those of {found_map} ({blur:.0f} of 255 off); known maps: {', '.join(NAMES)}"
    usual = implied if implied != "auto" else guess(facts).name
    overruled = origin == "declared" and unit.name != usual
    named_map = found_map if unit.name == "colormap" else None
    return DepthFormat(unit, named_map, known, median, blur, origin, warning or "", overruled, kind if maps else None)


def _sample(
    roots: Roots, files: Sequence[File], map_name: str | None, chosen: str
) -> tuple[list[Array], str, str | None, float | None]:
    """Numbers of some files, their type, and the colour map with its distance; unreadable files are named later."""
    step = max(1, len(files) // _LOOKED_AT)
    pictures: list[Colours] = []
    maps: list[Array] = []
    for file in files[::step][:_LOOKED_AT]:
        try:
            content = roots.read(file)
            colours = colours_if_picture(content, file) if chosen in ("auto", "colormap") else None
            if colours is not None:
                pictures.append(colours)
            else:
                maps.append(numbers_of(content, file.name))
        except (BadFile, Unreadable):
            continue
    if len(pictures) <= len(maps):
        kinds = Counter(kind_of(numbers) for numbers in maps if numbers.any())  # nothing is any kind
        order = ("u1", "u2", "f4")
        kind = max(kinds, key=lambda name: (kinds[name], order.index(name)), default="u1")
        if not kinds and maps:
            kind = max(map(kind_of, maps), key=order.index)
        return [numbers for numbers in maps if kind_of(numbers) == kind or not numbers.any()], kind, None, None
    found = map_name or likely(pictures[0])[0]
    read = [entries(colours, found) for colours in pictures]
    return [numbers for numbers, _ in read], "rgb", found, float(np.median([blur for _, blur in read]))


def colours_if_picture(content: bytes, file: File) -> Colours | None:
    """The pixels of a picture in colours, None of anything else."""
    return None if file.suffix in (".npy", ".pfm") else colours_of(content)
