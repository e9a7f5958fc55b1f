"""A zip read in place: a handle for each thread, and nothing that a zip from a stranger could do to its reader."""

from __future__ import annotations

import os
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from bench.core.errors import BadData

LARGEST_MEMBER = 2**28
"""Bytes of one file, unpacked; pictures are smaller, bombs are not."""
_LARGEST_RATIO, _RATIO_FROM = 200, 2**24
_ENCRYPTED = 0x1
_NESTED = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")


class Archive:
    """The members of a zip.

    Args:
        path: of the zip; it must not change while it is read.

    Raises:
        BadData: no zip, or a damaged zip.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._facts = self._now()
        try:
            self._infos = zipfile.ZipFile(path).infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise BadData([(str(path), f"neither a folder nor a zip that can be read: {error}")]) from error
        self._reasons = dict(self._judge())

    def members(self) -> Iterator[zipfile.ZipInfo]:
        """The files that may be read."""
        return (info for info in self._infos if not info.is_dir() and info.filename not in self._reasons)

    def refused(self) -> list[tuple[str, str]]:
        """The others, each with its reason."""
        return sorted(self._reasons.items())

    def read(self, name: str, size: int) -> bytes:
        """All bytes of a member, not more than its listing says.

        Raises:
            OSError: the zip has changed or is damaged at that place.
        """
        try:
            with self._handle().open(name) as member:
                content = member.read(size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, KeyError) as error:
            raise OSError(f"cannot be read from the zip: {error}") from error
        if len(content) != size:
            raise OSError("another length than the zip's own list says")
        return content

    def _handle(self) -> zipfile.ZipFile:
        """The handle of the calling thread; opened anew after a fork."""
        if getattr(self._local, "owner", None) != os.getpid():
            if self._now() != self._facts:
                raise OSError("the zip changed while it was read")
            self._local.handle, self._local.owner = zipfile.ZipFile(self.path), os.getpid()
        handle: zipfile.ZipFile = self._local.handle
        return handle

    def _now(self) -> tuple[int, int]:
        facts = self.path.stat()
        return facts.st_size, facts.st_mtime_ns

    def _judge(self) -> Iterator[tuple[str, str]]:
        packed = sum(info.compress_size for info in self._infos)
        overlapping = packed > self._facts[0]
        found_names: set[str] = set()
        for info in self._infos:
            name = info.filename
            if info.is_dir():
                continue
            windows = PureWindowsPath(name)
            if windows.is_absolute() or windows.drive or name.startswith("/") or ".." in windows.parts:
                yield name, "its path leaves the zip"
            elif info.flag_bits & _ENCRYPTED:
                yield name, "encrypted"
            elif name.lower().endswith(_NESTED):
                yield name, "a zip within a zip; unpack it first"
            elif overlapping or _is_bomb(info):
                yield name, f"a bomb: {info.compress_size:,} bytes that become {info.file_size:,}"
            elif name in found_names:
                yield name, "two files of this name in the zip"
            found_names.add(name)


def _is_bomb(info: zipfile.ZipInfo) -> bool:
    ratio = info.file_size / max(1, info.compress_size)
    return info.file_size > LARGEST_MEMBER or (info.file_size > _RATIO_FROM and ratio > _LARGEST_RATIO)
