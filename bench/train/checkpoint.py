"""Checkpoints: tensors and plain data only, written in one step, read without running any code in them."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from bench.core.errors import BadData, BenchError


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state (tensors, numbers, texts, lists and dicts of them) in the place of an earlier one.

    Raises:
        BenchError: the disk is full or the folder cannot be written to; the earlier file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    try:
        with _without_checksums():
            torch.save(state, temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise BenchError(f"cannot write the checkpoint {path.name}: {error}; free some space and run again") from error


@contextmanager
def _without_checksums() -> Iterator[None]:
    """Checksums take a third of the time of writing, and nothing reads them: `torch.load` checks none."""
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        yield
    finally:
        torch.serialization.set_crc32_options(before)


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Read what `save` wrote, tensors onto ``device``.

    Raises:
        BadData: the file is damaged, or holds something other than tensors and plain data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0]
        raise BadData([(str(path), reason)], "remove it to start anew, or run with --fresh") from error
    return state
