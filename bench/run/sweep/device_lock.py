"""Timed runs have their device to themselves: across all sweeps on this machine, by locks of the file system."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def device_to_oneself(
    device: str, share: int, waiting: Callable[[], None] = lambda: None, folder: Path | None = None
) -> Iterator[None]:
    """Hold a device: alone for a timed run, together with others of ``share``; given up however the process ends.

    Args:
        device: as torch names it.
        share: runs at once; 1 keeps all others out.
        waiting: told once if the device is not free at once.
        folder: of the lock, the machine's temporary folder if none is given.
    """
    name = re.sub(r"\W+", "-", device)
    path = (folder or Path(tempfile.gettempdir())) / f"maskdepth-bench-{os.getuid()}-{name}.lock"
    kind = fcntl.LOCK_EX if share == 1 else fcntl.LOCK_SH
    with path.open("a") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, kind)
        except OSError:  # a file system without locks: this sweep alone keeps its runs apart
            pass
        yield
