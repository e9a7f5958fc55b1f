"""`SharedLoaders`: samples that are rendered for a run and kept for the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.core.machine import free_bytes
from bench.data.loading.loader import RESIDENT_SHARE, Loader
from bench.data.loading.packed_files import PackedFiles
from bench.data.seen_groups import SeenGroups
from bench.data.source import Source
from bench.data.split import Part


class SharedLoaders:
    """Loaders of a source's samples, each made once.

    Rendered samples are kept while memory allows, as the next run needs the same resolutions. Otherwise the least
    recently used of the same part are dropped. Those that do not fit on the device are kept in files: what a run reads
    once serves the next.

    Args:
        source: on the device where the samples shall lie.
        packed: folder of files of samples that do not fit there.
        preparing: called with what is rendered, samples done, and samples in all.
        kind: the class of loaders.
    """

    def __init__(
        self, source: Source, packed: Path, preparing: Callable[[str, int, int], None], kind: type[Loader] = Loader
    ) -> None:
        self._source, self._preparing, self._kind = source, preparing, kind
        self._files = PackedFiles(packed.absolute())
        self._loaders: dict[tuple[Part, int, int, int, int | None], Loader] = {}

    def loader(self, part: Part, count: int, size: int, batch: int, seen_from: int | None = None) -> Loader:
        """The loader of some samples.

        Args:
            part, count, size, batch: as for `Loader`.
            seen_from: number of training samples whose groups the samples are of, see `SeenGroups`; None for the part.
        """
        key = (part, count, size, batch, seen_from)
        if key not in self._loaders:
            source = self._source if seen_from is None else SeenGroups(self._source, seen_from, count)
            budget = self._room_for(count * Loader.form_of(source, part, size).bytes, part)
            what = f"rendering {part} samples at {size} px"
            self._loaders[key] = self._kind(
                source,
                part,
                count,
                size,
                batch,
                budget,
                progress=lambda done, total: self._preparing(what, done, total),
                packed_files=self._files,
            )
        self._loaders[key] = self._loaders.pop(key)  # the most recently used
        return self._loaders[key]

    @property
    def resident_bytes(self) -> int:
        """What all samples that are kept on the device hold there."""
        return sum(loader.resident_bytes for loader in self._loaders.values())

    def _room_for(self, needed: int, part: Part) -> int:
        """Bytes that further samples may hold on the device, after others of that part made room if they had to."""
        held = {key: loader.resident_bytes for key, loader in self._loaders.items()}
        whole = int(RESIDENT_SHARE * (free_bytes(self._source.device) + sum(held.values())))
        for key in list(held):
            if sum(held.values()) + needed <= whole:
                break
            if key[0] == part:
                del self._loaders[key], held[key]
        return max(0, whole - sum(held.values()))
