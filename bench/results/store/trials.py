"""Trials of tuning."""

from __future__ import annotations

from pathlib import Path

from bench.core.record import TrialRecord
from bench.results import store
from bench.results.store.subfolder import Subfolder

_SUBFOLDER = Subfolder("trials", TrialRecord)
FOLDER, read = _SUBFOLDER.folder, _SUBFOLDER.read


def write(results: Path, trial: TrialRecord) -> Path:
    """Write a trial, see `Subfolder.write`."""
    tried = f"{trial.parameter}-{trial.value:g}" if trial.parameter else "baseline"
    words = [trial.spec.model, trial.recipe_name, tried, f"e{trial.epochs_done}"]
    return _SUBFOLDER.write(results, store.stem(words, trial.id, trial.started), trial, {})
