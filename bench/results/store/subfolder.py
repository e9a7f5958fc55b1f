"""`Subfolder`: a kind of record in a folder of its own below the records, written once, read back whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from bench.core import files
from bench.core.errors import BadData
from bench.results import store
from bench.results.store.reason import reason

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Subfolder(Generic[T]):
    """Where records of one kind lie.

    Attributes:
        folder: its name in the folder of records.
        kind: of the records in it.
    """

    folder: str
    kind: type[T]

    def write(self, results: Path, stem: str, record: T, per_image: Mapping[str, Sequence[float | int]]) -> Path:
        """Write one under a name that begins with ``stem``, its per-image metrics beside it, and the schema of all.

        No file is replaced.

        Raises:
            BenchError: the folder cannot be written to.
        """
        path = store.write_sealed(results / self.folder, stem, record, per_image)
        schema = results / self.folder / store.SCHEMA
        text = json.dumps(self.kind.model_json_schema(), indent=1, sort_keys=True) + "\n"
        if not schema.exists() or schema.read_text(encoding="utf-8") != text:
            files.replace(schema, text)
        return path

    def read(self, path: Path) -> T:
        """One of them.

        Raises:
            BadData: it is none, or not as it was written.
        """
        try:
            text = path.read_text(encoding="utf-8")
            store.check_seal(text)
            return self.kind.model_validate_json(text)
        except (OSError, ValueError) as error:
            raise BadData([(path.name, reason(error))]) from error
