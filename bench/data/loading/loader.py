"""From a source to batches, by one of three tiers, chosen by what fits into memory.

- `resident`: packed samples are kept on the device and gathered from there.
- `streamed`: they lie in a file that is mapped into memory; a thread gathers ahead, and on CUDA a stream copies ahead.
- `live`: a thread renders them ahead, many at a time; on CUDA on a stream of its own.

All hand out the same numbers: what a source renders passes through the same 8-bit packing.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import accumulate, chain, starmap
from pathlib import Path

import PIL
import torch
from torch import Tensor

from bench.core.files import canonical_json
from bench.core.spec import Inputs
from bench.data.counter_random import uniform
from bench.data.kernels.available import renderers
from bench.data.loading.ahead import OnStream, prefetch
from bench.data.loading.batch import Batch
from bench.data.loading.packed import Form, Packed, pack, unpack
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.data.split import Part
from registry.contract import Quartet, check_quartet

Progress = Callable[[int, int], None]
_Ids = list[tuple[Tensor, Tensor]]
"""Of samples batch by batch, (B,) int64 each: on the CPU, and on the device."""

_FEWEST_AT_ONCE = 64
_STREAMED_AHEAD = 2
_LIVE_AHEAD = 1


RESIDENT_SHARE = 0.4
"""Of the free memory of the device, for samples kept on it."""


class Loader:
    """Batches of a part of a source at a resolution.

    Args:
        source: renders samples; on the device that batches shall be on.
        part: which split.
        count: samples in all, ids 0 to count - 1.
        size: side of the images, pixels.
        batch: images a batch; training drops an incomplete last batch, evaluation keeps it.
        budget: bytes that may be kept resident on the device.
        progress: called with (done, total) while samples are rendered ahead.
        packed_files: where packed samples that are worth a file may be kept on disk; nowhere, if none is given.

    Attributes:
        tier: ``resident``, ``streamed`` or ``live``.
        inputs: what models see, see `serving`.

    Raises:
        BenchError: the file of packed samples cannot be written.
    """

    def __init__(
        self,
        source: Source,
        part: Part,
        count: int,
        size: int,
        batch: int,
        budget: int,
        progress: Progress = lambda done, total: None,
        packed_files: PackedFiles | None = None,
    ) -> None:
        self.source, self.part, self.count, self.size, self.batch = source, part, count, size, batch
        self.inputs: Inputs = "pair"
        self._form = self.form_of(source, part, size)
        needed = count * self._form.bytes
        self._store: Tensor | None = None
        self._stream: torch.cuda.Stream | None = None
        self._sorted: tuple[tuple[int, int], _Ids] | None = None
        own = source.own_pack(size)
        if needed <= budget and own != "growing":
            self.tier = "resident"
            self._store = torch.empty(count, self._form.bytes, dtype=torch.uint8, device=source.device)
            begin = 0
            for rows in self._rows(progress):
                self._store[begin : begin + len(rows)] = rows
                begin += len(rows)
        elif own == "none" and packed_files is not None and needed <= packed_files.budget():
            self.tier = "streamed"
            self._store = packed_files.get(self._key(), count, self._form.bytes, self._rows(progress))
        else:
            self.tier = "live"

    @staticmethod
    def form_of(source: Source, part: Part, size: int) -> Form:
        """The form in which samples of that side are kept, found by rendering a sample."""
        with torch.no_grad():
            return pack(check_quartet(source.render(part, torch.arange(1), size), 1, size, type(source).__name__)).form

    @property
    def resident_bytes(self) -> int:
        """Bytes of the samples that are kept on the device."""
        return self._store.nbytes if self._store is not None and self.tier == "resident" else 0

    def serving(self, inputs: Inputs) -> Loader:
        """The same samples, in the same memory, for models of both photographs or of ``bg_fg`` alone.

        Args:
            inputs: ``pair``, or ``image``: the background is withheld.
        """
        served = copy.copy(self)
        served.inputs = inputs
        return served

    def epoch(self, seed: int, epoch: int, first: int = 0) -> Iterator[Batch]:
        """All full batches in an order that depends on (seed, epoch) alone; the ``first`` so many are passed over."""
        yield from self._batches(self._order(seed, epoch)[first:])
        self._order(seed, epoch + 1)  # while a GPU is busy with the last steps: later it would wait

    def _order(self, seed: int, epoch: int) -> _Ids:
        """The samples of an epoch's full batches."""
        if self._sorted is None or self._sorted[0] != (seed, epoch):
            ids = torch.arange(self.count)
            order = uniform(seed, f"order/{epoch}", ids, 1)[:, 0].argsort(stable=True)
            self._sorted = (seed, epoch), self._ids(ids[order[: self.count - self.count % self.batch]])
        return self._sorted[1]

    def in_order(self) -> Iterator[Batch]:
        """All samples once, by id."""
        return self._batches(self._ids(torch.arange(self.count)))

    def __len__(self) -> int:
        """Batches in an epoch of training."""
        return self.count // self.batch

    def _ids(self, ids: Tensor) -> _Ids:
        """Those samples batch by batch; they go to the device at once, and no GPU is waited for.

        A copy a batch would cost the host as much as gathering it.
        """
        device = self.source.device
        there = ids.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else ids.to(device)
        return list(zip(_chunks(ids, self.batch), _chunks(there, self.batch), strict=True))

    def _batches(self, ids: _Ids) -> Iterator[Batch]:
        if self.tier != "resident" and self.source.device.type == "cuda":
            # The same stream for all epochs: the allocator keeps memory apart by stream.
            self._stream = self._stream or torch.cuda.Stream(self.source.device)  # type: ignore[no-untyped-call]
            self._stream.wait_stream(torch.cuda.current_stream(self.source.device))  # where the source was made
        if self.tier == "streamed":
            make = self._gathered if self._stream is None else self._copied()
            return prefetch(lambda of: make(*of), ids, _STREAMED_AHEAD)
        if self.tier == "resident":
            return starmap(self._gathered, ids)
        at_once = max(1, self.source.chunk(self.size) // self.batch)
        bulks = prefetch(self._rendered, [ids[i : i + at_once] for i in range(0, len(ids), at_once)], _LIVE_AHEAD)
        return chain.from_iterable(bulks)

    def _gathered(self, ids: Tensor, device_ids: Tensor) -> Batch:
        assert self._store is not None
        return Batch(ids, device_ids, self._served(Packed(self._store, self._form), device_ids))

    def _rendered(self, batches: _Ids) -> list[Batch]:
        """Batches of those ids, on the CPU and on the device, rendered at once."""
        all_ids = torch.cat([ids for ids, _ in batches])

        def rows() -> list[Tensor]:
            return [pack(self._render(all_ids)).rows]

        if self._stream is not None:
            with torch.cuda.device(self.source.device):  # a new thread is on the first device
                arrive = cache(OnStream(rows, self._stream).arrive)
        else:
            rendered = rows()
            arrive = cache(lambda: rendered)
        begins = accumulate((len(ids) for ids, _ in batches), initial=0)
        return [
            Batch(ids, on_device, partial(self._part, arrive, begin, begin + len(ids)))
            for (ids, on_device), begin in zip(batches, begins, strict=False)
        ]

    def _part(self, arrive: Callable[[], list[Tensor]], begin: int, end: int) -> Quartet:
        (rows,) = arrive()
        return self._served(Packed(rows[begin:end], self._form))

    def _copied(self) -> Callable[[Tensor, Tensor], Batch]:
        """Makes batches whose rows are copied to the device on their own stream, and unpacked when they arrive."""
        store, form, device, stream = self._store, self._form, self.source.device, self._stream
        assert store is not None
        assert stream is not None

        def make(ids: Tensor, device_ids: Tensor) -> Batch:
            with torch.cuda.device(device):  # a new thread is on the first device
                rows = torch.empty(len(ids), form.bytes, dtype=torch.uint8, pin_memory=True)
                torch.index_select(store, 0, ids, out=rows)  # not reused by the allocator before the copy is done
                copied = OnStream(lambda: [rows.to(device, non_blocking=True)], stream)
            return Batch(ids, device_ids, lambda: self._served(Packed(copied.arrive()[0], form)), copied.milliseconds)

        return make

    def _served(self, packed: Packed, rows: Tensor | None = None) -> Quartet:
        """The samples as models may see them, see `unpack`."""
        quartet = unpack(packed, rows)
        return replace(quartet, bg=None) if self.inputs == "image" else quartet

    def _render(self, ids: Tensor) -> Quartet:
        with torch.no_grad():
            quartet = self.source.render(self.part, ids, self.size)
        return check_quartet(quartet, len(ids), self.size, type(self.source).__name__)

    def _rows(self, progress: Progress) -> Iterator[Tensor]:
        """All samples by id, packed, some at a time."""
        for ids in _chunks(torch.arange(self.count), max(_FEWEST_AT_ONCE, self.source.chunk(self.size))):
            yield pack(self._render(ids)).rows
            progress(int(ids[-1]) + 1, self.count)

    def _key(self) -> str:
        """Everything that decides the rows of a file: the samples, the code, and whose arithmetic it runs on."""
        device = self.source.device
        return canonical_json(
            {
                "source": self.source.describe(),
                "part": self.part,
                "count": self.count,
                "size": self.size,
                "code": _code(type(self.source)),
                "torch": torch.__version__,
                "pillow": PIL.__version__,
                "arithmetic": _arithmetic(device),
            }
        )


def _arithmetic(device: torch.device) -> str:
    """What rounds: the processor, and which kernels do it."""
    if device.type != "cuda":
        return torch.backends.cpu.get_cpu_capability()
    return ", ".join(filter(None, (torch.cuda.get_device_name(device), renderers(device))))


@cache
def _code(source: type[Source]) -> str:
    """Hash of the code that makes samples: this package, and the file of the source if that is elsewhere."""
    package = Path(__file__).parents[1]  # all of bench.data
    files = {*package.rglob("*.py"), Path(inspect.getfile(source))}
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: str(path)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _chunks(ids: Tensor, size: int) -> Sequence[Tensor]:
    return torch.split(ids, size) if len(ids) else ()
