"""Optimizers and schedules by key, as the training loop asks for them."""

from __future__ import annotations

from registry.optimizers import MakeOptimizer, optimizers
from registry.schedules import MakeSchedule, Schedule, schedules

__all__ = ["MakeOptimizer", "MakeSchedule", "Schedule", "optimizers", "schedules"]
