"""Trials of tuning."""

from __future__ import annotations

from pathlib import Path

from bench.core.record import TrialRecord
from bench.results import store
from bench.results.store.below import Below

_BELOW = Below("trials", TrialRecord)
FOLDER, read = _BELOW.folder, _BELOW.read


def write(results: Path, trial: TrialRecord) -> Path:
    """Write a trial, see `Below.write`."""
    tried = f"{trial.parameter}-{trial.value:g}" if trial.parameter else "baseline"
    words = [trial.spec.model, trial.recipe_name, tried, f"e{trial.epochs_done}"]
    return _BELOW.write(results, store.stem(words, trial.id, trial.started), trial, {})
