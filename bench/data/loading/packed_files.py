"""Packed samples in files that are mapped into memory: rendered once, read by this and later runs."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import struct
import time
import warnings
import zlib
from collections.abc import Iterable
from mmap import mmap
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from bench.core.errors import CannotWrite, is_full

SHARE = 0.25  # of the disk, as far as it is free or the folder's own
_ABANDONED_SECONDS, _UNLOCKED_SECONDS = 60.0, 86_400.0
"""Seconds without writes after which a file of a killed run is removed: with locks, and without."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
_SUM = struct.Struct("<4sI")
"""At the end of a file: a word, and the CRC-32 of everything before it."""
_WORD = b"PKD2"
_CHECKED_AT_ONCE = 2**24


class PackedFiles:
    """A folder of packed samples, a file a key, never larger than a share of the disk's free space.

    A file gets its name when it is complete, so that a killed run leaves nothing that could be taken for whole, and
    ends in a checksum, which is tried whenever it is opened: what is damaged is set aside and made anew. Two processes
    that want the same file at once both render it, and either may come last. What was not used for longest goes first;
    a file that is removed while it is mapped stays readable.

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
            rows: all of them in order, in pieces, each (n, width) uint8; used only if no whole file exists.

        Raises:
            CannotWrite: the file cannot be written.
        """
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.packed"
        size = count * width
        try:
            with _whole(path, size) or self._written(path, size, rows) as file:
                os.utime(file.fileno())
                mapped = mmap(file.fileno(), size)
        except OSError as error:
            why = "the disk is full" if is_full(error) else error.strerror
            raise CannotWrite(
                f"{self.folder}: {size / 2**20:,.1f} MiB of packed samples cannot be kept: {why}; make room in it, "
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
            _lock(file)
            checksum = 0
            for some in rows:
                content = some.cpu().contiguous().numpy().data
                checksum = zlib.crc32(content, checksum)
                file.write(content)
            file.write(_SUM.pack(_WORD, checksum))
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
            abandoned = path.suffix == ".part" and _is_abandoned(path, time.time() - used)
            if abandoned or path.suffix == ".damaged":
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
        listed = self.folder.iterdir() if self.folder.exists() else ()
        for path in (path for path in listed if path.suffix in (".packed", ".part", ".damaged")):
            try:
                facts = path.stat()
            except FileNotFoundError:  # another process has just deleted it
                continue
            found.append((facts.st_mtime, facts.st_size, path))
        return found


def _whole(path: Path, size: int) -> IO[bytes] | None:
    """The file, open, if it exists and is whole; a damaged file is set aside under another name, with a warning."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return None
    length = os.fstat(file.fileno()).st_size
    if length == size + _SUM.size and _is_intact(file, size):
        return file
    file.close()
    reason = "its checksum is wrong" if length == size + _SUM.size else f"it has {length:,} bytes"
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    warnings.warn(f"packed samples are made anew: {path}: {reason}; set aside as {aside.name}", stacklevel=4)
    return None


def _is_intact(file: IO[bytes], size: int) -> bool:
    """Whether the checksum at the end is that of the ``size`` bytes before it."""
    checksum, left = 0, size
    file.seek(0)
    while left:
        content = file.read(min(left, _CHECKED_AT_ONCE))
        if not content:
            return False
        checksum, left = zlib.crc32(content, checksum), left - len(content)
    return file.read(_SUM.size) == _SUM.pack(_WORD, checksum)


def _is_abandoned(path: Path, age: float) -> bool:
    """Whether a file that was last written to ``age`` seconds ago is abandoned."""
    if age <= _ABANDONED_SECONDS:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as error:
        return error.errno in _NO_LOCKS and age > _UNLOCKED_SECONDS
    return True


def _lock(file: IO[bytes]) -> None:
    """Lock the file while it is written; without locks other processes go by its age."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
