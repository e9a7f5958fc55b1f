"""Checkpoints: tensors and plain data only, written atomically, read without running any code in them.

Every entry of the file has a checksum (CRC-32, which torch writes and never looks at), checked when it is read.
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from bench.core.errors import BadData, CannotWrite

PART = ".part"
"""The suffix of a file that is being written; a file of that name that nobody writes was left by a kill."""

OTHER = ".other"
"""The suffix of a checkpoint that was set aside because it is of other code or another arithmetic."""


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state (tensors, numbers, texts, lists and dicts of them) in the place of an earlier one.

    Raises:
        CannotWrite: the disk is full or the folder cannot be written to; the earlier file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(PART)
    try:
        torch.save(state, temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise CannotWrite.of(f"the checkpoint {path.name}", error) from error


_ANEW = "remove it to start anew, or run with --fresh"
_ONCE_MORE = "the weights of that run are lost: train it once more (bench run ... --again), or name another run"


def load_weights(path: Path, device: torch.device) -> dict[str, Any]:
    """The weights of a run that is over: tensors by name, on ``device``.

    Raises:
        BadData: as of `load`, or there are none.
    """
    state = load(path, device, _ONCE_MORE)
    if not isinstance(state.get("model"), dict):
        raise BadData([(str(path), "it holds no weights")], _ONCE_MORE)
    weights: dict[str, Any] = state["model"]
    return weights


def load(path: Path, device: torch.device, advice: str = _ANEW) -> dict[str, Any]:
    """Read what `save` wrote, tensors onto ``device``.

    Args:
        path: of the file.
        device: for the tensors.
        advice: what to do about a damaged file; else how a run that goes on from it begins anew.

    Raises:
        BadData: the file is damaged, or holds something other than tensors and plain data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise BadData([(str(path), f"the checksum of {damaged} is wrong")], advice)
        state = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadData([(str(path), reason)], advice) from error
    if not isinstance(state, dict):
        raise BadData([(str(path), f"it holds a {type(state).__name__}, no state of a run")], advice)
    return state


def set_aside(path: Path, suffix: str = ".damaged") -> Path:
    """Rename a file that cannot be used, so that no later run meets it again; returns its new place."""
    return path.replace(path.with_name(path.name + suffix))
