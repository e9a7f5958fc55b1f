"""The step ledger: windows of training steps, some plain, some instrumented, each ended by a synchronisation.

Rates come from the plain windows, shares from the instrumented ones, and the ratio of the two is the
perturbation: what measuring costs. On CUDA the instrumented marks are events on the stream, read after the
window's single synchronisation; on a CPU they are `time.perf_counter_ns`. A mark on CUDA costs the host about a third
of a microsecond, and 4 more if it looks up its stream, so that a window does this once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import torch

from bench.core.record.timings import Timings
from bench.timing.gauge import Gauge
from bench.timing.marks import HostMark, Mark, MarkedBlock, StreamMarks
from bench.timing.summary import summarise_windows
from bench.timing.window import Window

T = TypeVar("T")

STEP = "step"
UNCAPTURED = "compiled outside a graph"
"""Of steps of a compiled model that no graph holds, as an engine."""
DATA_WAIT = "data_wait"
_CUDA_PERIOD = 8
"""One window in so many is instrumented in training on CUDA."""
_COMPILED_PERIOD = 32
"""And in so many where plain windows replay a graph or run compiled code: as blocks are timed eagerly, at up to a third
of the pace, half a second in four would cost the loop eight per cent."""


_BY_BLOCKS = {"graphed": "eager", "compiled": UNCAPTURED}
"""How a step is run whose blocks are timed, where it is not as the others are: within a graph no blocks can be told
apart. On a CPU too, where no step is captured, windows of so few steps are not compared with others."""


@dataclass(frozen=True)
class TimelineEntry:
    """A block of a step on the window's time line: milliseconds from the window's first mark, and how long."""

    step: int
    name: str
    begin_ms: float
    length_ms: float


_NOTHING = nullcontext()


@dataclass
class Ledger:
    """Times the steps of a loop, and the blocks named within them.

    >>> ledger = Ledger(torch.device("cpu"))
    >>> for batch in ledger.steps([1, 2, 3], images=1):
    ...     with ledger("forward"):
    ...         pass
    >>> ledger.timings().steps
    3

    Attributes:
        device: where the work runs; decides the clock.
        seconds: a window ends with the first step that ends this long after its beginning; an instrumented window
            among captured steps ends with `min_steps`.
        min_steps: and after at least so many steps.
        windows: all that were closed.
        tag: what the coming steps are like, for `Window.tag`.
        plain_engine: how the steps of plain windows are run; those whose blocks are timed run outside a graph.
        gauge: watches every window, for `Window.disturbed`.
        obstacle: says why blocks cannot be timed in the coming window, among others that are captured; None where they
            can.
        untimed: what it said the last time it was asked.
    """

    device: torch.device
    seconds: float = 0.5
    min_steps: int = 4
    windows: list[Window] = field(default_factory=list)
    tag: str = ""
    plain_engine: str = "eager"
    gauge: Gauge | None = None
    obstacle: Callable[[], str | None] = lambda: None
    untimed: str | None = None

    def __post_init__(self) -> None:
        self._cuda = self.device.type == "cuda"
        self._ring = StreamMarks(self.device)
        self.mark: Callable[[], Mark] = self._ring if self._cuda else HostMark
        self._spans: list[tuple[int, str, Any, Any]] = []
        self._instrumented = False
        self._step = self._images = 0

    @property
    def instrumented(self) -> bool:
        """Whether the current window's blocks are timed."""
        return self._instrumented

    @property
    def _marked_engine(self) -> str:
        return _BY_BLOCKS.get(self.plain_engine, self.plain_engine)

    def __call__(self, name: str) -> AbstractContextManager[None]:
        """A block of the current step; costs nothing in a plain window."""
        return MarkedBlock(self, name) if self._instrumented else _NOTHING

    def add(self, name: str, begin: Any, end: Any) -> None:
        """Add a block of the current step by its two marks."""
        self._spans.append((self._step, name, begin, end))

    def steps(
        self, batches: Iterable[T], images: int | Callable[[T], int], after_window: Callable[[], None] = lambda: None
    ) -> Iterator[T]:
        """Hand the batches on, timing the wait for each and closing windows, some of them instrumented.

        On a CPU every second window is instrumented; on CUDA, where many steps fit a window, every eighth. Where steps
        are captured or compiled, an instrumented window, whose steps are not captured, is as short as possible, and
        every 32nd. Events are read while the time of the next window runs already, so that the seconds of all windows
        hold what measuring costs.

        Args:
            batches: what to iterate over.
            images: images a batch, or what counts those of a batch, for the rate.
            after_window: called after each window's synchronisation; its time counts to the next window.
        """
        iterator = iter(batches)
        self._open(self._is_next_instrumented())
        while (yield from self._until_full(iterator, images)):
            window, spans = self._close(), self._spans
            self._open(self._is_next_instrumented())
            self._read(window, spans)
            after_window()
        if self._step:
            self._read(self._close(), self._spans)
            after_window()

    def window(self, batches: Iterator[T], images: int, instrumented: bool) -> Iterator[T]:
        """Hand on the batches of a window, plain or instrumented; the rest stays in the iterator.

        Its own seconds hold the reading of its events on CUDA, as no further window of the ledger may follow.
        """
        self._open(instrumented)
        yield from self._until_full(batches, images)
        if self._step:
            window = self._close()
            self._read(window, self._spans)
            if self._cuda and instrumented:
                window.seconds = time.perf_counter() - self._began
                window.processor_seconds = time.process_time() - self._processor_began

    def _is_next_instrumented(self) -> bool:
        """By its number among those of its tag; on CUDA and of compiled steps not the first, when kernels are made."""
        number = sum(window.tag == self.tag for window in self.windows)
        if self.plain_engine != self._marked_engine:
            if number % _COMPILED_PERIOD != 1:
                return False
            self.untimed = self.obstacle()
            return self.untimed is None
        return number % _CUDA_PERIOD == 1 if self._cuda else number % 2 == 0

    def _until_full(self, iterator: Iterator[T], images: int | Callable[[T], int]) -> Generator[T, None, bool]:
        """Hand on batches until the window may end; returns whether the window is full, or the batches ended."""
        seconds = 0.0 if self._instrumented and self.plain_engine != self._marked_engine else self.seconds
        while True:
            begin = self.mark() if self._instrumented else None
            batch = next(iterator, None)
            if batch is None:
                return False
            if begin is not None:
                self.add(DATA_WAIT, begin, self.mark())
            yield batch
            if begin is not None:
                self.add(STEP, begin, self.mark())
            self._step += 1
            self._images += images(batch) if callable(images) else images
            if self._step >= self.min_steps and time.perf_counter() - self._began >= seconds:
                return True

    def _open(self, instrumented: bool) -> None:
        self._spans, self._step, self._instrumented = [], 0, instrumented
        self._images = 0
        if self._cuda:
            self._ring.rewind()
        if self.gauge is not None:
            self.gauge.begin()
        self._processor_began = time.process_time()
        self._began = time.perf_counter()

    def _close(self) -> Window:
        """Wait once for the stream that the steps run on, and keep the window; its blocks are still to be read.

        What is rendered or copied ahead on another stream may go on.
        """
        load = None if self.gauge is None else self.gauge.end()  # before the wait, which is no work of this process
        launched = time.perf_counter()
        if self._cuda:
            torch.cuda.current_stream(self.device).synchronize()
        ended = time.perf_counter()
        self.windows.append(
            Window(
                self._step,
                self._images,
                ended - self._began,
                {} if self._instrumented else None,
                time.process_time() - self._processor_began,
                self.tag,
                ended - launched if self._cuda else 0.0,
                self._marked_engine if self._instrumented else self.plain_engine,
                getattr(load, "others", None),
                None if load is None else load.disturbed,
            )
        )
        return self.windows[-1]

    @staticmethod
    def _read(window: Window, spans: Sequence[tuple[int, str, Any, Any]]) -> None:
        """Fill in the blocks of a window that has synchronised, before its events are recorded anew."""
        if window.blocks is None:
            return
        for step, name, begin, end in spans:
            row = window.blocks.setdefault(name, [0.0] * window.steps)
            row[step] += begin.milliseconds_to(end)

    def intervals(self) -> list[TimelineEntry]:
        """The blocks of the last window, if it was instrumented, on its time line in the order they ended."""
        if not self._spans:
            return []
        first = self._spans[0][2]
        return [
            TimelineEntry(step, name, first.milliseconds_to(begin), begin.milliseconds_to(end))
            for step, name, begin, end in self._spans
        ]

    def timings(self) -> Timings:
        """The summary of all windows so far."""
        return summarise_windows(self.windows)

    def state(self) -> list[dict[str, Any]]:
        """The windows as plain data, for a checkpoint."""
        return [asdict(window) for window in self.windows]

    def load_state(self, state: list[dict[str, Any]]) -> None:
        """Go on after the windows of a checkpoint."""
        self.windows = [Window(**window) for window in state]
