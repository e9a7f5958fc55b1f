"""`Attribute`: a property of test images, and the slices that it divides them into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.core.errors import BadData
from bench.core.record import Record
from bench.core.record.image_columns import CAMERA, PREFIX
from bench.results import store
from bench.results.stats.student import Values

SLICES = 4
"""Into which an attribute divides the images, as many in each."""

LEAST = 5
"""Images in a slice, below which it is not shown: its figures would be too uncertain."""


@dataclass(frozen=True)
class Slice:
    """Test images that are alike in an attribute.

    Attributes:
        attribute: what they are alike in; empty for all images.
        label: how, such as ``0.02 to 0.05``.
        images: which they are, (images,).
    """

    attribute: str
    label: str
    images: npt.NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Images in it."""
        return int(self.images.sum())


@dataclass(frozen=True)
class Attribute:
    """A property of every test image.

    Attributes:
        name: of it, such as ``mask area`` or ``camera noise``.
        values: (images,), NaN where an image has nothing of it.
    """

    name: str
    values: Values

    def slices(self) -> list[Slice]:
        """Quarters of the images in ascending order; a value that a quarter of them share is a slice of its own."""
        known = self.values[~np.isnan(self.values)]
        distinct, counts = np.unique(known, return_counts=True)
        if len(distinct) <= 1:
            return []
        common = distinct if len(distinct) <= SLICES else distinct[counts * SLICES >= len(known)]
        found = [(value, Slice(self.name, f"{value:.3g}", self.values == value)) for value in common]
        rest = ~np.isnan(self.values) & ~np.isin(self.values, common)
        if rest.any():
            found += self._quantiles(rest)
        unknown = Slice(self.name, "without", np.isnan(self.values))
        ordered = [part for _, part in sorted(found, key=lambda pair: pair[0])]
        return [part for part in (*ordered, unknown) if part.count >= LEAST]

    def _quantiles(self, images: npt.NDArray[np.bool_]) -> Iterator[tuple[float, Slice]]:
        """Some images divided into equal parts, each with its lower edge."""
        share = images.sum() / (~np.isnan(self.values)).sum()
        edges = np.quantile(self.values[images], np.linspace(0, 1, max(1, round(SLICES * share)) + 1))
        for low, high, last in zip(edges[:-1], edges[1:], edges[1:] == edges[-1], strict=True):
            within = (self.values >= low) & ((self.values <= high) if last else (self.values < high))
            yield float(low), Slice(self.name, f"{low:.3g} to {high:.3g}", images & within)


@dataclass(frozen=True)
class ImageFacts:
    """What the test images are like.

    Attributes:
        record: the file of the record beside which the facts lie.
        attributes: in the order of its table.
    """

    record: str
    attributes: Sequence[Attribute]


def same_images(records: Iterable[tuple[str, Record]], like: Record) -> Iterator[str]:
    """The records whose test images are those of a record, by file name: of the same data at the same size.

    Which model was trained, for how long and by which recipe changes no test image.

    Args:
        records: in any order, each with its file's name.
        like: the record.
    """
    for name, record in records:
        alike = record.spec.data == like.spec.data and _test_size(record) == _test_size(like)
        if alike and (record.images or record.format == 1):
            yield name


def image_facts(folder: Path, names: Iterable[str], samples: Sequence[float]) -> ImageFacts | None:
    """What test images are like, from the first of several tables that describes all of them.

    Args:
        folder: of records.
        names: of records with the same test images; tables that are damaged are passed over.
        samples: ids of the images.

    Returns:
        None where no table describes them.
    """
    for name in names:
        if any(column.startswith((PREFIX, CAMERA)) for column in store.image_columns(folder / name)):
            with suppress(BadData):
                table = store.read_images(folder / name)
                place = {sample: row for row, sample in enumerate(table["sample"])}
                if all(sample in place for sample in samples):
                    return ImageFacts(name, _attributes(table, [place[sample] for sample in samples]))
    return None


def _test_size(record: Record) -> int:
    return record.spec.protocol.stages[-1].size


def _attributes(table: Mapping[str, Sequence[float]], order: Sequence[int]) -> list[Attribute]:
    """A camera's draws of several numbers are a single attribute: how far they lie from what is usual."""
    parts: dict[str, list[Values]] = {}
    for column, values in table.items():
        taken = np.asarray(values, dtype=np.float64)[order]
        if column.startswith(PREFIX):
            parts[column.removeprefix(PREFIX).replace("_", " ")] = [taken]
        elif column.startswith(CAMERA):
            name = re.sub(r"_\d+$", "", column.removeprefix(CAMERA))
            parts.setdefault(f"camera {name.replace('_', ' ')}", []).append(taken)
    return [Attribute(name, values[0] if len(values) == 1 else _distance(values)) for name, values in parts.items()]


def _distance(values: Sequence[Values]) -> Values:
    stacked = np.stack(values)
    return np.asarray(np.linalg.norm(stacked - np.median(stacked, axis=1, keepdims=True), axis=0), dtype=np.float64)
