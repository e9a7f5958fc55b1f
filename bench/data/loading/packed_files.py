"""Packed samples in files that are mapped into memory: rendered once, read as often as one likes, by later runs too."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from mmap import mmap
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from bench.core.errors import BenchError

SHARE = 0.25  # of the disk, as far as it is free or the folder's own
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ABANDONED_SECONDS = 60.0


class PackedFiles:
    """A folder of packed samples, a file a key, never larger than a share of the disk's free space.

    A file gets its name when it is complete, so that a killed run leaves nothing that could be taken for whole; two
    processes that want the same file at once both render it, and either may come last. What was not used for
    longest goes first; a file that goes while somebody reads it stays readable to them.

    Args:
        folder: made when it is first needed.
        share: of the free space (the folder's own counted as free) that the files may take together.
    """

    def __init__(self, folder: Path, share: float = SHARE) -> None:
        self.folder, self.share = folder, share

    def budget(self) -> int:
        """Bytes that all files together may take."""
        nearest = next(place for place in (self.folder, *self.folder.absolute().parents) if place.exists())
        return int(self.share * (shutil.disk_usage(nearest).free + sum(size for _, size, _ in self._files())))

    def get(self, key: str, count: int, width: int, rows: Iterable[Tensor]) -> Tensor:
        """The file of that key as (count, width) uint8, mapped into memory; not to be written to.

        Args:
            key: everything that decides the content.
            count, width: how many rows of how many bytes.
            rows: all of them in order, in pieces, each (n, width) uint8; asked for only if there is no whole file.

        Raises:
            BenchError: the file cannot be written.
        """
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.packed"
        size = count * width
        try:
            with _whole(path, size) or self._written(path, size, rows) as file:
                os.utime(file.fileno())
                mapped = mmap(file.fileno(), size)
        except OSError as error:
            why = "the disk is full" if error.errno in _FULL else error.strerror
            raise BenchError(
                f"{self.folder}: {size / 2**20:,.1f} MiB of packed samples cannot be kept: {why}; make room there, "
                "keep runs in another folder, or ask for fewer samples"
            ) from error
        return torch.frombuffer(mapped, dtype=torch.uint8).view(count, width)

    def _written(self, path: Path, size: int, rows: Iterable[Tensor]) -> IO[bytes]:
        """The file, open and complete; it has its name only then."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_room(size)
        unfinished = path.with_suffix(f".{secrets.token_hex(4)}.part")
        file = unfinished.open("x+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            for some in rows:
                file.write(some.cpu().numpy().data)
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            file.close()
            unfinished.unlink(missing_ok=True)
            raise
        return file

    def _make_room(self, size: int) -> None:
        """Delete what killed runs left, then the files longest unused, until ``size`` bytes more fit the budget."""
        budget = self.budget()
        for used, _, path in self._files():
            if path.suffix == ".part" and time.time() - used > _ABANDONED_SECONDS and _is_abandoned(path):
                path.unlink(missing_ok=True)
        files = sorted(self._files())
        held = sum(taken for _, taken, _ in files)
        for _, taken, path in files:
            if held + size <= budget:
                break
            if path.suffix == ".packed":
                path.unlink(missing_ok=True)
                held -= taken

    def _files(self) -> list[tuple[float, int, Path]]:
        """When it was last used, bytes and path of every file."""
        found = []
        for path in self.folder.glob("*.pa*") if self.folder.exists() else ():
            try:
                facts = path.stat()
            except FileNotFoundError:  # another process has just deleted it
                continue
            found.append((facts.st_mtime, facts.st_size, path))
        return found


def _whole(path: Path, size: int) -> IO[bytes] | None:
    """The file, open, if it is there and of that size."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return None
    if os.fstat(file.fileno()).st_size == size:
        return file
    file.close()
    return None


def _is_abandoned(path: Path) -> bool:
    """Whether nobody is writing to a file."""
    try:
        with path.open("rb") as file:
            return _locked(file)
    except FileNotFoundError:
        return False


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
