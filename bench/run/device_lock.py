"""Timed runs of a sweep have their device to themselves: on the whole machine, by locks of the file system."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold_device(
    device: str, alone: bool, waiting: Callable[[], None] = lambda: None, folder: Path | None = None
) -> Iterator[None]:
    """Hold a device, as timed runs of a sweep do ``alone`` and others together; given up however the process ends.

    Args:
        device: as torch names it.
        alone: keep all others out.
        waiting: called once if the device is not free at once.
        folder: of the lock, the machine's temporary folder if none is given.
    """
    name = re.sub(r"\W+", "-", device)
    path = (folder or Path(tempfile.gettempdir())) / f"maskdepth-bench-{os.getuid()}-{name}.lock"
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    with path.open("a") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, kind)
        except OSError:  # a file system without locks: this sweep alone keeps its runs apart
            pass
        yield
