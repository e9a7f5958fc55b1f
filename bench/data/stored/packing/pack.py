"""Decoded quartets of a size in files that are mapped into memory, a file for each field: written once, read by many.

A row is written when it is first decoded, by whoever needs it first, so that training may begin at once and what was
stopped goes on where it was. Every row has a checksum, which is compared when a process first uses it: what is torn
or damaged counts as not written. Decoding gives the same bytes whoever does it, so that two writers cannot disagree.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.core.errors import BenchError
from bench.core.files import canonical_json, replace

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
FORMAT = 1
_WRITTEN = np.uint64(1 << 32)
_MANIFEST = "manifest.json"
READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
"""How the system says that a place may be read, and not written."""


class CannotKeep(BenchError):
    """A folder may not be written: what is in it can be read, and nothing is added."""


@dataclass(frozen=True)
class Field:
    """One array: ``name``, ``dtype`` (numpy's text), and the shape of a row."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Table:
    """Rows of some fields, each with a checksum.

    Args:
        folder: where the files are.
        name: of the table; begins the files' names.
        fields: of a row.
        count: rows.

    Attributes:
        damaged: rows found not to be what was written, since this was opened.
        is_writable: whether rows can be put.
    """

    def __init__(self, folder: Path, name: str, fields: Sequence[Field], count: int) -> None:
        self.fields, self.count, self.damaged, self._place = tuple(fields), count, 0, folder
        self._arrays = {field.name: _mapped(folder / f"{name}.{field.name}", field, count) for field in fields}
        # 64 bits a row: whether it is written, and its checksum; a single store, so that no reader sees half of it.
        self._sums = _mapped(folder / f"{name}.sums", Field("sums", "<u8", ()), count)
        self.is_writable = all(array.flags.writeable for array in (*self._arrays.values(), self._sums))
        self._trusted = np.zeros(count, dtype=np.bool_)

    def missing(self, rows: Rows) -> Rows:
        """Those of some rows that must be made; what was written by others since is found, too."""
        doubtful = rows[~self._trusted[rows]]
        lacking = []
        for row in np.unique(doubtful):
            found = self._sums[row]
            if found & _WRITTEN:
                if found == self._sum(int(row)):
                    self._trusted[row] = True
                    continue
                if not self.damaged:
                    what = f"{self._place}: rows of packed data fail their checksum and are decoded anew"
                    warnings.warn(what, RuntimeWarning, stacklevel=2)
                self.damaged += 1
            lacking.append(row)
        return np.array(lacking, dtype=np.int64)

    def put(self, row: int, values: Mapping[str, Array]) -> None:
        """Write a row; many threads and processes may."""
        for name, array in self._arrays.items():
            array[row] = values[name]
        self._sums[row] = self._sum(row)
        self._trusted[row] = True

    def get(self, name: str, rows: Rows) -> Array:
        """A field of some rows that are not missing, a copy, (B, ...)."""
        return self._arrays[name][rows]

    def written(self) -> int:
        """How many rows are marked as written."""
        return int((self._sums & _WRITTEN).astype(np.bool_).sum())

    def flush(self) -> None:
        """Have all of it on disk."""
        for array in (*self._arrays.values(), self._sums) if self.is_writable else ():
            array.flush()

    def _sum(self, row: int) -> np.uint64:
        found = 0
        for array in self._arrays.values():
            found = zlib.crc32(array[row], found)
        return np.uint64(found) | _WRITTEN


class Pack:
    """All quartets of a source at a size.

    Args:
        folder: of this pack.

    Attributes:
        samples, backgrounds: its tables.
        manifest: what it is of.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text())
        tables = {
            name: Table(folder, name, [_field(field) for field in table["fields"]], table["count"])
            for name, table in self.manifest["tables"].items()
        }
        self.samples, self.backgrounds = tables["samples"], tables["backgrounds"]

    @classmethod
    def open(
        cls,
        parent: Path,
        source: Mapping[str, Any],
        tables: Mapping[str, tuple[Sequence[Field], int]],
        groups: Mapping[str, Sequence[str]],
    ) -> Pack:
        """The pack of that source in a folder of packs, made if it does not exist; packs of its former state go.

        Args:
            parent: the folder of packs.
            source: what decides every byte; ``roots`` names the place, ``fingerprint`` the state it is in.
            tables: fields and rows of ``samples`` and ``backgrounds``.
            groups: names of the background group and the object group of each sample.

        Raises:
            CannotKeep: there is none, and the folder may not be written.
            BenchError: it cannot be written.
        """
        folder = parent / f"stored-{hashlib.sha256(canonical_json(source).encode()).hexdigest()[:16]}"
        try:
            if (folder / _MANIFEST).is_file():
                try:
                    return cls(folder)
                except (ValueError, KeyError) as error:
                    warnings.warn(f"{folder} is damaged ({error}) and made anew", RuntimeWarning, stacklevel=2)
                    shutil.rmtree(folder)
            parent.mkdir(parents=True, exist_ok=True)
            _drop_former(parent, source)
            _create(folder, source, tables, groups)
            return cls(folder)
        except OSError as error:
            raise _refused(folder, error) from error

    @property
    def is_complete(self) -> bool:
        """Whether every row is marked as written."""
        return self.samples.written() == self.samples.count and self.backgrounds.written() == self.backgrounds.count

    @property
    def is_writable(self) -> bool:
        """Whether what it lacks can be kept in it."""
        return self.samples.is_writable and self.backgrounds.is_writable

    def check_writable(self) -> None:
        """Refuse to go on where what it lacks cannot be kept in it.

        Raises:
            CannotKeep: it may only be read.
        """
        if not self.is_writable:
            raise _refused(self.folder, OSError(errno.EROFS, "it may only be read, and some of it is lacking"))

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def remove(self) -> None:
        """Delete it; whoever has it mapped may still read it."""
        gone = self.folder.with_name(f".{self.folder.name}-{os.getpid()}.tmp")
        with suppress(OSError):  # another process was faster
            self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _refused(folder: Path, error: OSError) -> BenchError:
    kind, way = (CannotKeep, "") if error.errno in READ_ONLY else (BenchError, "make room, or ")
    why = error.strerror or str(error)
    return kind(
        f"{folder}: packed data cannot be kept in this folder: {why}; {way}name another folder, with --packed DIR"
    )


def _field(value: Mapping[str, Any]) -> Field:
    return Field(value["name"], value["dtype"], tuple(value["shape"]))


def _mapped(path: Path, field: Field, count: int) -> np.memmap[Any, Any]:
    """A file as an array; read-only where the file may not be written."""
    wanted = np.dtype(field.dtype).itemsize * int(np.prod(field.shape, dtype=np.int64)) * count
    if path.stat().st_size != wanted:
        raise ValueError(f"{path.name} holds {path.stat().st_size:,} bytes, not {wanted:,}")
    if not wanted:  # mapping an empty file would write a byte into it
        return np.empty((count, *field.shape), dtype=field.dtype).view(np.memmap)
    shape = (count, *field.shape)
    try:
        return np.memmap(path, dtype=field.dtype, mode="r+", shape=shape)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        return np.memmap(path, dtype=field.dtype, mode="r", shape=shape)


def _create(
    folder: Path,
    source: Mapping[str, Any],
    tables: Mapping[str, tuple[Sequence[Field], int]],
    groups: Mapping[str, Sequence[str]],
) -> None:
    """An empty pack, in one step: two processes that do so at once end with the same pack."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".stored-", suffix=".tmp") as name:
        made = Path(name) / "pack"
        made.mkdir()
        for table, (fields, count) in tables.items():
            for field in (*fields, Field("sums", "<u8", ())):
                size = np.dtype(field.dtype).itemsize * int(np.prod(field.shape, dtype=np.int64)) * count
                with (made / f"{table}.{field.name}").open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, size) if size else None
        manifest = {
            "format": FORMAT,
            "source": dict(source),
            "tables": {
                name: {"count": count, "fields": [field.__dict__ for field in fields]}
                for name, (fields, count) in tables.items()
            },
            "groups": {name: list(names) for name, names in groups.items()},
        }
        replace(made / _MANIFEST, json.dumps(manifest) + "\n")
        try:
            made.rename(folder)
        except OSError:
            if not (folder / _MANIFEST).is_file():  # no other process was faster
                shutil.rmtree(folder, ignore_errors=True)
                made.rename(folder)


def _drop_former(parent: Path, source: Mapping[str, Any]) -> None:
    """Remove packs of the same roots, read in the same way, in a state that they are no longer in."""
    for path in parent.glob(f"stored-*/{_MANIFEST}"):
        try:
            former = json.loads(path.read_text())["source"]
        except (OSError, ValueError, KeyError):
            continue
        if {**former, "fingerprint": ""} == {**source, "fingerprint": ""}:
            shutil.rmtree(path.parent, ignore_errors=True)
