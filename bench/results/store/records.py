"""Writing records atomically, and the only way of reading them back.

Reading passes over what is damaged and names it, so that everything that does not need it still works; a command that
has done its work then calls `check`, which ends it with the names and exit status 3.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import overload

from pydantic import BaseModel

from bench.core import files
from bench.core.errors import BadData, BenchError, CannotWrite
from bench.core.garbage import collection_paused
from bench.core.record import Record
from bench.results.store.reason import NEWER, reason
from bench.results.store.seal import UNSEALED, check_seal, digest, sealed
from bench.results.store.tables import IMAGES, as_csv, check_table, image_columns, lacking_ids, read_table

SCHEMA = "schema.json"

Named = tuple[str, Record]
"""A record with its file's name."""


@dataclass(frozen=True)
class Records(Sequence[Named]):
    """The records of a folder by file name, and the files that are none.

    Attributes:
        folder: where they lie.
        named: each with its file's name.
        damaged: names of files that cannot be used, with the reason.
    """

    folder: Path
    named: Sequence[Named]
    damaged: Sequence[tuple[str, str]] = field(default=())

    @overload
    def __getitem__(self, index: int) -> Named: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Named]: ...
    def __getitem__(self, index: int | slice) -> Named | Sequence[Named]:
        """One or several of them, by file name."""
        return self.named[index]

    def __len__(self) -> int:
        """How many could be read."""
        return len(self.named)

    def check(self) -> None:
        """To be called when everything else is done.

        Raises:
            BadData: some files are damaged; all of them are named.
        """
        if self.damaged:
            tables = ", a table with its record," if any(name.endswith(IMAGES) for name, _ in self.damaged) else ""
            newer = all(why.endswith(NEWER) for _, why in self.damaged)
            what = "update the tool" if newer else "restore them"
            raise BadData(self.damaged, f"left out; {what}, or move them{tables} out of {self.folder}")


def slug(record: Record) -> str:
    """The stem of a record's file: model, recipe, protocol, seed, id and time, in letters that any system takes."""
    spec = record.spec
    words = [spec.model, record.recipe_name, spec.protocol.name, str(spec.data.get("kind", "data")), f"s{spec.seed}"]
    return stem(words, record.id, record.started)


def stem(words: Sequence[str], identity: str, when: str) -> str:
    """A file's name of words, an identity and a time in ISO 8601, in letters that any system takes."""
    name = "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-")[:40] for word in words)
    return f"{name}_{identity}_{re.sub(r'[^0-9]', '', when)[:14]}"


def write(folder: Path, record: Record, per_image: Mapping[str, Sequence[float | int]]) -> Path:
    """Write a record and, beside it, its per-image metrics as CSV; both appear whole or not at all.

    Two runs that finish at once both keep theirs: a name that is taken gets a number.

    Raises:
        CannotWrite: the folder cannot be written to (full, read-only).
    """
    return write_sealed(folder, slug(record), record, per_image)


def write_sealed(folder: Path, stem: str, record: BaseModel, per_image: Mapping[str, Sequence[float | int]]) -> Path:
    """Write anything that has ``images`` and, as its last field, ``checksum``, under a name that begins with ``stem``.

    Raises:
        CannotWrite: the folder cannot be written to (full, read-only).
    """
    table = as_csv(per_image) if per_image else None
    text = sealed(record.model_copy(update={"images": None if table is None else digest(table), "checksum": None}))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(1000):
            path = folder / f"{stem}{f'-{attempt}' if attempt else ''}.json"
            # The table first: a record that can be read has its images, whenever the power fails.
            if table is not None and not files.create(path.with_suffix(IMAGES), table):
                continue
            if files.create(path, text):
                return path
    except OSError as error:
        raise CannotWrite.of(f"the record to {folder}", error) from error
    raise BenchError(f"a thousand records called {stem} lie in {folder} already")


def remove_strays(folder: Path) -> None:
    """Remove what kills left half-written in a folder of records: temporary files, and tables without their record."""
    files.remove_strays(folder)
    for table in folder.glob(f"*{IMAGES}"):
        record = table.with_name(table.name.removesuffix(IMAGES) + ".json")
        with suppress(OSError):
            if not record.exists() and time.time() - table.stat().st_mtime > files.STRAY_AGE:
                table.unlink()


def read_all(folder: Path) -> Records:
    """All records of a folder, by file name, and the names of those that are damaged."""
    named: list[Named] = []
    damaged: list[tuple[str, str]] = []
    with collection_paused():
        for path in sorted(folder.glob("*.json"), key=lambda path: path.name):
            if path.name == SCHEMA:
                continue
            try:
                named.append((path.name, read(path)))
            except BadData as error:
                damaged += error.problems
    return Records(folder, named, damaged)


def read(path: Path) -> Record:
    """One record.

    Raises:
        BadData: it is none, or not as it was written.
    """
    try:
        status = path.stat()
        return _parse(path, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError) as error:  # pydantic's, JSON's and UTF-8's errors are ValueErrors
        raise BadData([(path.name, reason(error))]) from error


def check(folder: Path, tables: bool = False) -> None:
    """To be called by a command that has done its work: name what it had to leave out.

    Args:
        folder: of the records.
        tables: whether the per-image tables beside them were needed, too.

    Raises:
        BadData: some files in the folder are damaged; all of them are named.
    """
    records = read_all(folder)
    damaged = list(records.damaged)
    for name, _ in records if tables else ():
        try:
            check_images(folder / name)
        except BadData as error:
            damaged += error.problems
    Records(folder, records, damaged).check()


def read_images(path: Path, only: Collection[str] = ()) -> dict[str, list[float]]:
    """The per-image metrics beside a record, by column; empty for a record without a table.

    Args:
        path: of the record.
        only: columns that are wanted, all if none is named; a page reads hundreds of tables for a single column each.

    Raises:
        BadData: the table is not as it was written, or holds words.
    """
    table = path.with_suffix(IMAGES)
    if not table.exists():
        return {}
    return read_table(table, read(path).images if path.exists() else None, only)


def check_images(path: Path) -> None:
    """Refuse the per-image metrics beside a record if they cannot be relied on; without a checksum they are counted.

    Raises:
        BadData: the table is missing though the record has its checksum, is not as it was written, has fewer images
            than the record, or lacks what every table has.
    """
    table, record = path.with_suffix(IMAGES), read(path)
    if not table.exists():
        if record.images is not None:
            raise BadData([(table.name, "it is missing")])
    elif record.images is not None:
        check_table(table, record.images)
    else:
        found = len(read_table(table, None, ("sample",)).get("sample", ()))
        count = max((score.images for score in record.test.values()), default=0)
        if found < count:
            raise BadData([(table.name, f"it has {found} images of {count}")])
    if table.exists() and (lacking := lacking_ids(image_columns(path))):
        raise BadData([(table.name, lacking)])


def schema() -> str:
    """The published JSON schema of a record, as text."""
    return json.dumps(Record.model_json_schema(), indent=1, sort_keys=True) + "\n"


@cache
def _parse(path: Path, modified: int, size: int) -> Record:
    """A record's file as it was at that moment: reading a folder again costs no more than listing it."""
    text = path.read_text(encoding="utf-8")
    mark = check_seal(text, required=False)
    record = Record.model_validate_json(text)
    if record.format > 1 and not mark:
        raise ValueError(UNSEALED)
    return record
