"""Work on the files of many quartets by all cores; what is wrong with any of them is collected, not raised at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from bench.core.errors import BadData
from bench.core.processors import usable_processors

Problem = tuple[str, str]
"""A file and what is wrong with it."""
T = TypeVar("T")
_AT_ONCE = 8
"""Quartets that a thread takes at a time: handing them over costs as much as decoding a tenth of a quartet."""


class Bad(Exception):
    """Files of a quartet that cannot be used; ``problems`` names each with its reason."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def decoding_threads() -> Executor:
    """A pool for decoding: Pillow lets go of the interpreter while it decodes."""
    return ThreadPoolExecutor(usable_processors(), thread_name_prefix="decode")


def attempt_all(pool: Executor, make: Callable[[int], T], rows: Sequence[int]) -> list[T | Bad]:
    """What is made of each row, or why it cannot be, in order."""

    def attempt(some: Sequence[int]) -> list[T | Bad]:
        """What is made of each of some rows, or why it cannot be."""
        found: list[T | Bad] = []
        for row in some:
            try:
                found.append(make(row))
            except Bad as error:
                found.append(error)
        return found

    pieces = [rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE)]
    return [result for some in pool.map(attempt, pieces) for result in some]


def make_all(pool: Executor, make: Callable[[int], T], rows: Sequence[int]) -> list[T]:
    """What is made of each row, in order.

    Raises:
        BadData: every file that cannot be used.
    """
    results, problems = list[T](), list[Problem]()
    for result in attempt_all(pool, make, rows):
        if isinstance(result, Bad):
            problems += result.problems
        else:
            results.append(result)
    if problems:
        raise BadData(list(dict.fromkeys(problems)), "mend them, or go on without them: --skip-bad")
    return results
