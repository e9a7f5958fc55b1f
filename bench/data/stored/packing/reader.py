"""Quartets of a catalogue at a size: from a pack if it has them, else decoded by all cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bench.core.errors import BadData
from bench.data.stored.catalogue import QuartetFiles
from bench.data.stored.decoding import fields
from bench.data.stored.decoding.depth_codes import encode_depth
from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.decoding.images import BadFile
from bench.data.stored.files.roots import File, Roots, Unreadable
from bench.data.stored.packing.pack import Array, Field, Pack, Rows

Problem = tuple[str, str]
T = TypeVar("T")
_CACHED_BYTES = 2**28
_AT_ONCE = 8
"""Quartets that a thread takes at a time: handing them over costs as much as decoding a tenth of a quartet."""


class Bad(Exception):
    """Files of a quartet that cannot be used; ``problems`` names each with its reason."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def cores() -> int:
    """How many threads may decode at once."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def decoding_threads() -> Executor:
    """A pool for decoding: Pillow lets go of the interpreter while it does."""
    return ThreadPoolExecutor(cores(), thread_name_prefix="decode")


class Reader:
    """Decodes quartets at a size.

    Args:
        roots: where the files lie.
        entries: the quartets.
        plates: files of each background; of several the median is meant.
        background: number of each quartet's background, -1 without.
        decoding: how files become arrays.
        size: side of the squares.
        pool: threads that decode.
        pack: keeps what was decoded; None for nowhere.
    """

    def __init__(
        self,
        roots: Roots,
        entries: Sequence[QuartetFiles],
        plates: Sequence[tuple[File, ...]],
        background: Rows,
        decoding: DecodeOptions,
        size: int,
        pool: Executor,
        pack: Pack | None = None,
    ) -> None:
        self._roots, self._entries, self._plates, self._background = roots, entries, plates, background
        self.decoding, self.size, self._pool, self.pack = decoding, size, pool, pack
        self._cache: dict[int, npt.NDArray[np.uint8]] = {}
        self._lock = threading.Lock()

    def planes(self, rows: Rows) -> dict[str, Array]:
        """Fields of some quartets, (B, ...) each: ``bg`` and ``bg_fg`` (S, S, 3) uint8 and what `fields` names.

        Raises:
            BadData: files that cannot be used, all of them by name.
        """
        numbers = self._background[rows]
        if self.pack is None:
            wanted = np.unique(rows)
            made = dict(zip(wanted.tolist(), self._run(self.sample, wanted.tolist()), strict=True))
            found = {name: np.stack([made[row][name] for row in rows.tolist()]) for name in made[int(rows[0])]}
            if numbers[0] >= 0:
                shown = np.unique(numbers)
                by_number = dict(zip(shown.tolist(), self._run(self.background, shown.tolist()), strict=True))
                found["bg"] = np.stack([by_number[number] for number in numbers.tolist()])
            return found
        self.fill(rows)
        found = {field.name: self.pack.samples.get(field.name, rows) for field in self.pack.samples.fields}
        if numbers[0] >= 0:
            found["bg"] = self.pack.backgrounds.get("bg", numbers)
        return found

    def fill(self, rows: Rows) -> None:
        """Decode into the pack what it lacks of some quartets.

        Raises:
            BadData: files that cannot be used, all of them by name.
        """
        assert self.pack is not None
        pack = self.pack
        lacking = pack.samples.missing(rows)
        numbers = self._background[rows]
        plates = pack.backgrounds.missing(numbers[numbers >= 0])
        self._run(lambda row: pack.samples.put(row, self.sample(row)), lacking.tolist())
        self._run(lambda number: pack.backgrounds.put(number, {"bg": self.background(number)}), plates.tolist())

    def sample(self, row: int) -> dict[str, Array]:
        """One quartet without its background.

        Raises:
            Bad: files of it that cannot be used.
        """
        entry, problems = self._entries[row], list[Problem]()
        planes: dict[str, Array] = {}
        shape = 1.0
        try:
            planes["bg_fg"], shape = fields.photograph(self._content(entry.image), self.size, self.decoding.fit)
        except (BadFile, Unreadable) as error:
            problems.append((self._roots.label(entry.image), str(error)))
        for name in ("mask", "depth"):
            if name not in entry.partners:
                continue
            file = entry.partners[name]
            try:
                made, aspect = getattr(self, f"_{name}")(file, entry)
                if "bg_fg" in planes:
                    fields.check_aspect(name, aspect, shape)
                planes.update(made)
            except (BadFile, Unreadable) as error:
                problems.append((self._roots.label(file), str(error)))
        if problems:
            raise Bad(problems)
        return planes

    def background(self, number: int) -> npt.NDArray[np.uint8]:
        """One background, decoded once.

        Raises:
            Bad: it cannot be used.
        """
        found = self._cache.get(number)
        if found is not None:
            return found
        shots, problems = [], list[Problem]()
        for file in self._plates[number]:
            try:
                shots.append(fields.photograph(self._content(file), self.size, self.decoding.fit)[0])
            except (BadFile, Unreadable) as error:
                problems.append((self._roots.label(file), str(error)))
        if problems:
            raise Bad(problems)
        made = shots[0] if len(shots) == 1 else np.median(np.stack(shots), axis=0).astype(np.uint8)
        with self._lock:
            if (len(self._cache) + 1) * made.nbytes <= _CACHED_BYTES:
                self._cache[number] = made
        return made

    def problems(self, rows: Iterable[int]) -> dict[int, list[Problem]]:
        """Decode some quartets only to learn what is wrong; problems by row, and by -1 - number of background."""

        def try_sample(row: int) -> list[Problem]:
            return _problems_of(lambda: self.sample(row))

        def try_background(number: int) -> list[Problem]:
            return _problems_of(lambda: self.background(number))

        rows = list(rows)
        found = dict(zip(rows, self._pool.map(try_sample, rows), strict=True))
        numbers = sorted({int(number) for number in self._background[rows] if number >= 0})
        found.update(zip((-1 - number for number in numbers), self._pool.map(try_background, numbers), strict=True))
        return {row: problems for row, problems in found.items() if problems}

    def fields(self) -> list[Field]:
        """What `sample` gives, as a table keeps it."""
        side = (self.size, self.size)
        kinds = self._entries[0].partners
        found = [Field("bg_fg", "u1", (*side, 3))]
        if "mask" in kinds:
            found.append(Field("mask", "u1", side))
            if self._has_unknown_mask():
                found.append(Field("mask_valid", "u1", side))
        if "depth" in kinds:
            found.append(Field("depth", self._depth_type().str, side))
        return found

    def _mask(self, file: File, entry: QuartetFiles) -> tuple[dict[str, Array], float]:
        (values, known), aspect = fields.mask(self._content(file), file.name, self.size, self.decoding)
        if not self._has_unknown_mask():
            return {"mask": values}, aspect
        known = np.ones_like(values) if known is None else known
        if "mask_valid" in entry.partners:
            partner = entry.partners["mask_valid"]
            known = known & fields.known(self._content(partner), partner.name, self.size, self.decoding.fit)
        return {"mask": values, "mask_valid": known}, aspect

    def _depth(self, file: File, entry: QuartetFiles) -> tuple[dict[str, Array], float]:
        values, aspect = fields.depth(self._content(file), file.name, self.size, self.decoding)
        if "valid" in entry.partners:
            partner = entry.partners["valid"]
            known = fields.known(self._content(partner), partner.name, self.size, self.decoding.fit)
            values = np.where(known, values, np.float32(-1))
        return {"depth": encode_depth(values, self._depth_type())}, aspect

    def _has_unknown_mask(self) -> bool:
        return (
            self.decoding.values is not None or self.decoding.fit == "pad" or "mask_valid" in self._entries[0].partners
        )

    def _depth_type(self) -> np.dtype[np.generic]:
        unit = self.decoding.unit
        holes = unit is None or unit.holes or self.decoding.fit == "pad" or "valid" in self._entries[0].partners
        eight_bits = not holes and unit is not None and unit.full == 255
        return np.dtype("u1" if eight_bits else "<u2")

    def _content(self, file: File) -> bytes:
        return self._roots.read(file)

    def _run(self, make: Callable[[int], T], rows: list[int]) -> list[T]:
        """All results in order, by all threads.

        Raises:
            BadData: every file that cannot be used.
        """

        def attempt(some: list[int]) -> list[T | Bad]:
            found: list[T | Bad] = []
            for row in some:
                try:
                    found.append(make(row))
                except Bad as error:
                    found.append(error)
            return found

        results, problems = [], list[Problem]()
        for some in self._pool.map(attempt, [rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE)]):
            for result in some:
                if isinstance(result, Bad):
                    problems += result.problems
                else:
                    results.append(result)
        if problems:
            raise BadData(list(dict.fromkeys(problems)), "mend them, or go on without them: --skip-bad")
        return results


def _problems_of(make: Callable[[], object]) -> list[Problem]:
    try:
        make()
    except Bad as error:
        return error.problems
    return []
