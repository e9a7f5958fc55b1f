"""Standard output and error, which code of a plug-in may close or replace."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

from bench.train.isolation.settings import Alteration, Setting


class StandardStreams:
    """Standard output and error, with descriptors by which they can be opened again."""

    def __init__(self) -> None:
        self._streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
        self._kept: dict[int, int] = {}
        for number in (1, 2):
            with suppress(OSError):
                self._kept[number] = os.dup(number)

    def put_back(self) -> list[Alteration]:
        """Open again what was closed, and put back what was replaced."""
        found = []
        for number, (name, before) in enumerate(self._streams.items(), 1):
            after = getattr(sys, name)
            closed = self._reopened(number) or (before is not None and before.closed)
            if closed and before is not None and before.closed:
                before = io.TextIOWrapper(io.FileIO(number, "wb", closefd=False), line_buffering=True)
            if closed or after is not before:
                setattr(sys, name, before)
                setting = Setting(
                    f"sys.{name}", lambda: None, lambda _: None, closed, "closed" if closed else "replaced"
                )
                found.append(Alteration(setting, before, after))
        return found

    def _reopened(self, number: int) -> bool:
        """Whether a descriptor was closed; it is open again."""
        try:
            os.fstat(number)
        except OSError:
            if number in self._kept:
                os.dup2(self._kept[number], number)
                return True
        return False

    def __del__(self) -> None:
        for kept in self._kept.values():
            with suppress(OSError):
                os.close(kept)
