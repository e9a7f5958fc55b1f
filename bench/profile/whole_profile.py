"""`whole_profile`: a profile with all that may be asked for besides."""

from __future__ import annotations

from collections.abc import Callable

from bench.core.progress import Progress, no_progress
from bench.data.source import Source
from bench.profile.bottleneck import bottleneck as find_bottleneck
from bench.profile.memory_budget import fit_batch_of
from bench.profile.profile import Profile, profile
from bench.profile.training import StepRunner
from bench.timing.ledger import TimelineEntry


def whole_profile(
    runner: StepRunner,
    source: Source,
    seconds: float,
    *,
    twice: bool = False,
    bottleneck: bool = False,
    memory_budget: float | None = None,
    progress: Progress = no_progress,
    keep: Callable[[Profile], None] = lambda found: None,
) -> tuple[Profile, list[TimelineEntry]]:
    """Profile a training step, find what holds it up, and the batch that fits a memory budget.

    Args:
        runner: what to train.
        source: where its batches come from.
        seconds, twice: see `bench.profile.profile.profile`.
        bottleneck: find it too, for a quarter of that time.
        memory_budget: MiB that the largest batch must fit; None to look for none.
        progress: called with what is being measured.
        keep: called with the profile as soon as there is one, and again with every part that is added to it: what
            follows may fail.

    Returns:
        The profile, and the time line of a further instrumented window.

    Raises:
        BenchError: not even a single image fits the budget.
    """
    found, intervals = profile(runner, seconds, twice=twice, progress=progress)
    keep(found)
    if bottleneck:
        binding = find_bottleneck(runner, seconds / 4, progress=progress)
        found = found.model_copy(update={"bottleneck": binding})
        keep(found)
    if memory_budget is not None:
        fit = fit_batch_of(runner, source, memory_budget, progress=progress)
        found = found.model_copy(update={"fit": fit})
        keep(found)
    return found, intervals
