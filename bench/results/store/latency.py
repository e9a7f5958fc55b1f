"""`Latency`: what a forward pass of a single pair costs on a machine, as data in files between measurements."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.core import files
from bench.core.files import canonical_json


class LatencyKey(BaseModel):
    """What a latency depends on.

    Attributes:
        model: canonical key.
        code: hash of the user's code behind it; "" for a model of this project.
        size: image side, pixels.
        precision, memory_format: it computes in.
        fingerprint: of the machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    code: str
    size: int
    precision: str
    memory_format: str
    fingerprint: str

    @property
    def digest(self) -> str:
        """Twelve hex digits over all of it."""
        return hashlib.sha256(canonical_json(self.model_dump()).encode()).hexdigest()[:12]


class Latency(BaseModel):
    """A forward pass at batch 1 in evaluation mode.

    Attributes:
        key: of what.
        ms: median milliseconds, with its 95 % interval ``low`` to ``high`` over restarts.
        restarts: times it was built anew and measured, in turn with the others.
        peak_mib: weights, images and what the pass holds at its worst; torch's allocator on CUDA, the tensors on a CPU.
        measured: when, UTC, ISO 8601.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: LatencyKey
    ms: float
    low: float
    high: float
    restarts: int
    peak_mib: float
    measured: str


def read(folder: Path, key: LatencyKey) -> Latency | None:
    """What was measured before; None where nothing was, or the file is damaged and wants to be made anew."""
    try:
        found = Latency.model_validate_json((folder / f"{key.digest}.json").read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
    return found if found.key == key else None


def write(folder: Path, latency: Latency) -> None:
    """Keep a measurement."""
    folder.mkdir(parents=True, exist_ok=True)
    files.replace(folder / f"{latency.key.digest}.json", latency.model_dump_json(indent=1) + "\n")
