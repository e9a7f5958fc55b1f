"""The files below some folders and in some zips, as one list: what may be read, and why the rest may not."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.core.errors import BadData
from bench.core.progress import Progress, no_progress
from bench.data.stored.files.archive import Archive
from bench.data.stored.files.walk import printable, suffix_of, walk

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".npy", ".pfm", ".ppm", ".pgm"}
)
"""Of files that are read."""
TABLES = frozenset({"file_map.txt", "groups.txt"})
"""Names of text files that are read."""
COMPANIONS = frozenset({"bbox.txt"})
"""Names of text files that some layout has beside its pictures, and that are not read."""
_TOLD_EVERY = 5_000
_HIDDEN = ("__MACOSX",)


class Unreadable(ValueError):
    """A file that cannot be read; the message is the reason."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a root.

    Attributes:
        root: number of the root.
        name: below the root, with slashes, in Unicode's composed form (NFC): two spellings of a letter are the same.
        place: how the file system or the zip spells it.
        size: bytes.
        stamp: changes when the file does: time of modification in nanoseconds, or the zip's checksum.
    """

    root: int
    name: str
    place: str
    size: int
    stamp: int

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return self.name[: len(self.name) - len(self.suffix)]

    @property
    def suffix(self) -> str:
        """In small letters, with its dot."""
        return suffix_of(self.name)

    @property
    def basename(self) -> str:
        """The name without folders."""
        return self.name[self.name.rfind("/") + 1 :]


@dataclass
class Roots:
    """Some folders and zips, listed.

    Attributes:
        paths: of the roots; zips that lie in a folder root itself follow it.
        files: what is read, sorted by root and name.
        problems: every file that cannot be read, with its reason.
        ignored: how many files are not read, by suffix.
        companions: how many of these have a name of `COMPANIONS`, by name.
    """

    paths: list[Path]
    files: list[File] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    companions: Counter[str] = field(default_factory=Counter)
    _archives: dict[int, Archive] = field(default_factory=dict)
    _sums: dict[File, int] = field(default_factory=dict)

    @cached_property
    def _places(self) -> list[str]:
        return [str(path) for path in self.paths]

    @classmethod
    def open(cls, paths: Sequence[str | Path], progress: Progress = no_progress) -> Roots:
        """List every root.

        Args:
            paths: folders and zips.
            progress: called as files are listed; how many there will be is not known.

        Raises:
            BadData: a root is missing, or is neither a folder nor a zip.
        """
        roots = cls(_with_zips([Path(path) for path in paths]))
        for number, path in enumerate(roots.paths):
            if path.is_dir():
                roots._list_folder(number, path, progress)
            else:
                roots._list_zip(number, path)
        roots.files.sort(key=lambda file: (file.root, file.name))
        return roots

    def expect(self, names: Iterable[str]) -> None:
        """Count companions of these names no longer among the files that are not read: they belong to the layout."""
        for name in names:
            self.ignored -= Counter({suffix_of(name): self.companions.pop(name, 0)})

    def read(self, file: File) -> bytes:
        """All bytes of a file; by many threads at once.

        Raises:
            Unreadable: it is gone, has changed since it was listed, or its zip is damaged.
        """
        try:
            if file.root in self._archives:
                return self._archives[file.root].read(file.place, file.size)
            content = _read(f"{self._places[file.root]}/{file.place}", file)
            self._sums[file] = zlib.crc32(content)
            return content
        except FileNotFoundError as error:
            raise Unreadable("gone since the folder was listed") from error
        except (OSError, ValueError) as error:
            raise Unreadable(str(error)) from error

    def checksum(self, file: File) -> int | None:
        """CRC-32 of a file's content, as far as the zip states it or the file has been read."""
        return file.stamp if file.root in self._archives else self._sums.get(file)

    def name_of_content(self, file: File) -> str:
        """Length and checksum of a file, read if it was not; empty if it cannot be."""
        if self.checksum(file) is None:
            with suppress(Unreadable):
                self.read(file)
        checksum = self.checksum(file)
        return "" if checksum is None else f"{file.size} bytes {checksum:08x}"

    def note_checksum(self, file: File, checksum: int) -> None:
        """Take over the checksum of a file that another process has read; 0 for one that was not."""
        if checksum and file.root not in self._archives:
            self._sums[file] = checksum

    def label(self, file: File) -> str:
        """The file as messages name it; what is no Unicode is escaped."""
        path = self.paths[file.root]
        return printable(f"{path}:{file.name}" if file.root in self._archives else str(path / file.name))

    def fingerprint(self) -> str:
        """A digest of names, sizes and stamps of all files; the places of the roots do not enter."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(f"{file.root}\0{file.name}\0{file.size}\0{file.stamp}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _list_folder(self, number: int, root: Path, progress: Progress) -> None:
        start = len(str(root / "x")) - 1
        for path, facts in walk(root, SUFFIXES, self.problems):
            place = path[start:]
            if self._is_wanted(place):
                if not stat.S_ISREG(facts.st_mode):
                    self.problems.append((printable(path), "no regular file (a pipe, a device or a socket)"))
                    continue
                self.files.append(File(number, _composed(place), place, facts.st_size, facts.st_mtime_ns))
                if len(self.files) % _TOLD_EVERY == 0:
                    progress("listing files", len(self.files), len(self.files))

    def _list_zip(self, number: int, path: Path) -> None:
        archive = Archive(path)
        self._archives[number] = archive
        for member, reason in archive.refused():
            self.problems.append((printable(f"{path}:{member}"), reason))
        for info in archive.members():
            name = info.filename.replace("\\", "/").removeprefix("./")  # as some programs write it
            if self._is_wanted(name):
                self.files.append(File(number, _composed(name), info.filename, info.file_size, info.CRC))

    def _is_wanted(self, place: str) -> bool:
        """Whether a file is read; hidden ones go unmentioned, others are counted."""
        parts = place.split("/")
        if any(part.startswith(".") or part in _HIDDEN for part in parts):
            return False
        suffix = suffix_of(place)
        if suffix in SUFFIXES or parts[-1] in TABLES:
            return True
        if suffix != ".zip" or len(parts) > 1:  # zips in the root itself are roots
            self.ignored[printable(suffix or "(none)")] += 1
            if parts[-1] in COMPANIONS:
                self.companions[parts[-1]] += 1
        return False


def _read(path: str, file: File) -> bytes:
    """All bytes of a file as it was listed; pathlib and buffers would cost a tenth of decoding it."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        facts = os.fstat(opened)
        if (facts.st_size, facts.st_mtime_ns) != (file.size, file.stamp):
            raise Unreadable("changed while it was read")
        content = os.read(opened, file.size + 1)
        while len(content) < file.size and (more := os.read(opened, file.size + 1 - len(content))):
            content += more
    finally:
        os.close(opened)
    if len(content) != file.size:
        raise Unreadable("changed while it was read")
    return content


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _with_zips(paths: list[Path]) -> list[Path]:
    """The roots, each folder followed by the zips that lie in it."""
    if not paths:
        raise BadData([("stored data", "no root is given")], "name a folder or a zip: --root PATH")
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise BadData([(printable(str(path)), "no such folder or zip")])
        if not (path.is_dir() or path.is_file()):
            raise BadData([(printable(str(path)), "neither a folder nor a zip")])
        found.append(path)
        if path.is_dir():
            with os.scandir(path) as inside:
                found += sorted(
                    path / inner.name for inner in inside if suffix_of(inner.name) == ".zip" and inner.is_file()
                )
    whole = [path.resolve() for path in found]
    return [path for at, path in enumerate(found) if whole[at] not in whole[:at]]
