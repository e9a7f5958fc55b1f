"""Quartets of a catalogue at a size: from a pack if it has them, else decoded by all cores."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from bench.core.progress import Progress, no_progress
from bench.data.stored.packing.decode_all import decode_all
from bench.data.stored.packing.decoder import Decoder
from bench.data.stored.packing.pack import Array, Pack, Rows
from bench.data.stored.packing.threads import Bad, Problem, attempt_all, make_all


class Reader:
    """Serves quartets at a size.

    Args:
        decoder: of that size.
        pool: threads that decode.
        pack: keeps what was decoded; None for nowhere. What one lacks that may only be read is decoded every time.
    """

    def __init__(self, decoder: Decoder, pool: Executor, pack: Pack | None = None) -> None:
        self.decoder, self._pool, self.pack = decoder, pool, pack

    def planes(self, rows: Rows) -> dict[str, Array]:
        """Fields of some quartets, (B, ...) each: ``bg`` and ``bg_fg`` (S, S, 3) uint8 and what `Decoder.fields` names.

        Raises:
            BadData: files that cannot be used, all of them by name.
        """
        numbers = self.decoder.background_of[rows]
        if self.pack is None or not self._has(self.pack, rows):
            wanted = np.unique(rows).tolist()
            made = dict(zip(wanted, make_all(self._pool, self.decoder.sample, wanted), strict=True))
            found = {name: np.stack([made[row][name] for row in rows.tolist()]) for name in made[int(rows[0])]}
            if numbers[0] >= 0:
                shown = np.unique(numbers).tolist()
                by_number = dict(zip(shown, make_all(self._pool, self.decoder.background, shown), strict=True))
                found["bg"] = np.stack([by_number[number] for number in numbers.tolist()])
            return found
        found = {field.name: self.pack.samples.get(field.name, rows) for field in self.pack.samples.fields}
        if numbers[0] >= 0:
            found["bg"] = self.pack.backgrounds.get("bg", numbers)
        return found

    def _has(self, pack: Pack, rows: Rows) -> bool:
        """Whether some quartets are in the pack, once what it lacks is written, if it may be."""
        if pack.is_writable:
            self.fill(rows)
            return True
        numbers = self.decoder.background_of[rows]
        lacking = (pack.samples.missing(rows), pack.backgrounds.missing(numbers[numbers >= 0]))
        return not any(len(some) for some in lacking)

    def fill(self, rows: Rows) -> None:
        """Decode into the pack what it lacks of some quartets.

        Raises:
            BadData: files that cannot be used, all of them by name.
        """
        assert self.pack is not None
        pack, decoder = self.pack, self.decoder
        lacking = pack.samples.missing(rows)
        numbers = decoder.background_of[rows]
        plates = pack.backgrounds.missing(numbers[numbers >= 0])
        make_all(self._pool, lambda row: pack.samples.put(row, decoder.sample(row)), lacking.tolist())
        make_all(
            self._pool,
            lambda number: pack.backgrounds.put(number, {"bg": decoder.background(number)}),
            plates.tolist(),
        )

    def problems(self, progress: Progress = no_progress) -> dict[int, list[Problem]]:
        """Decode everything to learn what is wrong: problems by row, and by -1 - number of background.

        What is right is kept in the pack, if there is one that may be written.
        """
        background = self.decoder.background_of
        kept = self.pack if self.pack is not None and self.pack.is_writable else None
        found = decode_all(self.decoder, range(len(background)), self._pool, kept, progress, "checking files")
        numbers = sorted({int(number) for number in background if number >= 0})
        plates = zip(numbers, attempt_all(self._pool, self._try_background, numbers), strict=True)
        return found | {-1 - number: result.problems for number, result in plates if isinstance(result, Bad)}

    def _try_background(self, number: int) -> None:
        made = self.decoder.background(number)
        if self.pack is not None and self.pack.is_writable:
            self.pack.backgrounds.put(number, {"bg": made})
