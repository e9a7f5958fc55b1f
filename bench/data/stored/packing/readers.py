"""Readers of a set by size, each with its pack."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import BadData, BenchError
from bench.core.progress import Progress, no_progress
from bench.data.stored.packing.decode_all import decode_all
from bench.data.stored.packing.pack import CannotKeep, Field, Pack
from bench.data.stored.packing.reader import Reader
from bench.data.stored.packing.threads import decoding_threads

if TYPE_CHECKING:
    from bench.data.stored.quartet_set import QuartetSet

WORTH_PACKING = 512
"""Quartets from which a pack is worth its files."""


class Readers:
    """What decodes a set, at any size.

    Args:
        quartets: the set.
        packed: a folder in which decoded quartets are kept; None for nowhere.
        worth: fewer quartets are decoded anew every time.
    """

    def __init__(self, quartets: QuartetSet, packed: Path | None, worth: int = WORTH_PACKING) -> None:
        self.quartets, self.packed = quartets, packed
        self._keeps = packed is not None and len(quartets.entries) >= worth
        self._pool = decoding_threads()
        self._by_size: dict[int, Reader] = {}
        self._plain: dict[int, Reader] = {}

    def at(self, size: int) -> Reader:
        """The reader of a size; kept."""
        if size not in self._by_size:
            kept = self.packed if self._keeps else None
            self._by_size[size] = self._reader(size, None if kept is None else find_pack(self.quartets, kept, size))
        return self._by_size[size]

    def serving(self, size: int) -> Reader:
        """The reader of a size: with its pack if `at` was asked for it, else decoding anew.

        Who looks at a few samples of another size, as an audit does, is worth no files for all of them.
        """
        if size not in self._by_size and size not in self._plain:
            self._plain[size] = self._reader(size, None)
        return self._by_size.get(size) or self._plain[size]

    def fill(self, size: int, progress: Progress = no_progress) -> Pack:
        """Decode everything into the pack of a size, or what it lacks; verified as a whole.

        Raises:
            BadData: files that cannot be used; the source changed meanwhile.
            BenchError: no folder for packs was given, or it cannot be written.
        """
        if self.packed is None:
            raise BenchError("no folder for packed data was given")
        pack = open_pack(self.quartets, self.packed, size)
        reader = self._by_size[size] = self._reader(size, pack)
        rows = np.arange(len(self.quartets.entries))
        lacking = pack.samples.missing(rows).tolist()
        if lacking or len(pack.backgrounds.missing(np.arange(pack.backgrounds.count))):
            pack.check_writable()
        written = len(rows) - len(lacking)
        bad = decode_all(
            reader.decoder,
            lacking,
            self._pool,
            pack,
            lambda what, done, _: progress(what, written + done, len(rows)),
        )
        if bad:
            problems = [problem for some in bad.values() for problem in some]
            raise BadData(list(dict.fromkeys(problems)), "mend them, or go on without them: --skip-bad")
        reader.fill(rows)
        progress("packing", len(rows), len(rows))
        for table in (pack.samples, pack.backgrounds):
            table.flush()
        self.quartets.check_unchanged()
        return pack

    def _reader(self, size: int, pack: Pack | None) -> Reader:
        return Reader(self.quartets.decoder(size), self._pool, pack)


def find_pack(quartets: QuartetSet, folder: Path, size: int) -> Pack | None:
    """The pack of a set at a size; None, with a warning, where there is none and the folder may not be written.

    Raises:
        BenchError: it cannot be written in that folder, for another reason.
    """
    try:
        pack = open_pack(quartets, folder, size)
    except CannotKeep:
        pack = None
    if pack is None or not (pack.is_writable or pack.is_complete):
        state = "holds no quartets" if pack is None else "lacks some of the quartets"
        what = (
            f"{folder} may only be read, and {state} of {size} px: they are decoded as they are needed (--packed DIR)"
        )
        warnings.warn(what, RuntimeWarning, stacklevel=2)
    return pack


def open_pack(quartets: QuartetSet, folder: Path, size: int) -> Pack:
    """The pack of a set at a size, as far as it is written.

    Raises:
        CannotKeep: there is none, and the folder may not be written.
        BenchError: it cannot be written in that folder.
    """
    plates = [Field("bg", "u1", (size, size, 3))]
    count = len(quartets.entries)
    return Pack.open(
        folder,
        {**quartets.identity(size), "skipped": len(quartets.skipped), "count": count},
        {
            "samples": (quartets.decoder(size).fields(), count),
            "backgrounds": (plates, len(quartets.plates)),
        },
        {
            "background": [entry.background for entry in quartets.entries],
            "object": [entry.item for entry in quartets.entries],
            "encoding": [quartets.encoding],
        },
    )
