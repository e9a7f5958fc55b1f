"""All quartets of a set decoded by all cores: by threads, or, of many, by processes, as Python is half of the work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

from bench.core.processors import usable_processors
from bench.core.progress import Progress, no_progress
from bench.data.stored.packing.decoder import Decoder
from bench.data.stored.packing.pack import Pack
from bench.data.stored.packing.threads import Bad, Problem, attempt_all

_AT_ONCE = 64
_WATCH_SECONDS = 1.0
WORTH_PROCESSES = 1024
"""Quartets from which starting processes is worth its time."""
_Outcome = tuple[int, list[Problem], list[int]]
"""A row, what is wrong with it, and the checksums of its files."""
_shared: list[tuple[Decoder, Pack | None]] = []
"""What processes that are forked decode with; they write into the pack's shared memory."""


def decode_all(
    decoder: Decoder,
    rows: Iterable[int],
    pool: Executor,
    pack: Pack | None = None,
    progress: Progress = no_progress,
    what: str = "packing",
) -> dict[int, list[Problem]]:
    """Decode some quartets; what is right is kept in the pack.

    Args:
        decoder: of their size.
        rows: which.
        pool: threads, for sets that are worth no processes.
        pack: keeps them; None to learn only what is wrong.
        progress: called now and then, with ``what`` is done.
        what: in a word or two.

    Returns:
        What is wrong, by row.
    """
    wanted = list(rows)
    slices = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]
    found: dict[int, list[Problem]] = {}
    done = 0
    for outcomes in (
        _by_processes(decoder, pack, slices) if _forks(len(wanted)) else _by_threads(decoder, pack, slices, pool)
    ):
        for row, problems, checksums in outcomes:
            decoder.note_checksums(row, checksums)
            if problems:
                found[row] = problems
        done += len(outcomes)
        progress(what, done, len(wanted))
    return found


def _forks(count: int) -> bool:
    able = "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon
    return able and count >= WORTH_PROCESSES and usable_processors() > 1


def _by_processes(decoder: Decoder, pack: Pack | None, slices: list[list[int]]) -> Iterator[list[_Outcome]]:
    _shared.append((decoder, pack))
    try:
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(
            usable_processors(), context, initializer=_follow, initargs=(os.getpid(),)
        ) as processes:
            yield from processes.map(_decode_shared, slices)
    finally:
        _shared.pop()


def _by_threads(
    decoder: Decoder, pack: Pack | None, slices: list[list[int]], pool: Executor
) -> Iterator[list[_Outcome]]:
    for some in slices:
        outcomes = attempt_all(pool, lambda row: _decode(decoder, pack, row), some)
        assert not any(isinstance(outcome, Bad) for outcome in outcomes), "what is wrong is part of an outcome"
        yield [outcome for outcome in outcomes if not isinstance(outcome, Bad)]


def _follow(parent: int) -> None:
    """In a new process: leave Ctrl-C to its parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _decode_shared(rows: list[int]) -> list[_Outcome]:
    decoder, pack = _shared[-1]
    return [_decode(decoder, pack, row) for row in rows]


def _decode(decoder: Decoder, pack: Pack | None, row: int) -> _Outcome:
    try:
        made = decoder.sample(row)
    except Bad as error:
        return row, error.problems, decoder.checksums(row)
    if pack is not None:
        pack.samples.put(row, made)
    return row, [], decoder.checksums(row)
