"""The audit: every check, made on an experiment in under two seconds, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from bench.audit.checks import data, heads, optimum, samples, schedule, scores, targets, terms
from bench.audit.setup import Augment, Setup
from bench.core.errors import BenchError
from bench.core.finding import Finding
from bench.core.progress import Progress, no_progress
from bench.core.protocol import Protocol
from bench.data.augment.pipeline import augment
from bench.data.source import Source
from bench.metrics import Metric
from bench.metrics.scores import default_metrics
from bench.train.isolation.process_state import settings_kept
from registry.errors import RegistryError
from registry.losses import parse
from registry.losses.recipe import Recipe
from registry.models import models

Check = Callable[[Setup], Finding]

CHECKS: tuple[Check, ...] = (
    targets.targets,
    targets.term_targets,
    terms.activation,
    terms.bounded,
    terms.saturated,
    terms.pooled,
    terms.degenerate,
    terms.far_logits,
    optimum.floor,
    optimum.optimum,
    optimum.coverage,
    heads.gradient,
    schedule.weighting,
    schedule.schedule,
    data.split,
    samples.neighbours,
    samples.mask_sizes,
    samples.depth_unit,
    data.augmentation,
    scores.metric_perfect,
    scores.metric_direction,
    scores.metric_constant,
)
"""All checks, in the order in which they are shown; a check's name is that of its function."""


def audit(
    recipe: Recipe | str,
    source: Source,
    protocol: Protocol,
    model: str | Callable[[], nn.Module] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    augmentation: Augment = augment,
    progress: Progress = no_progress,
) -> list[Finding]:
    """Make every check on an experiment.

    The global random state and the number of threads are left as they were.

    Args:
        recipe: a recipe, its text, or its name.
        source: where quartets come from; a few are rendered.
        protocol: the budget.
        model: a key of `registry.models`, or what builds a model; None to leave the model out.
        metrics: what is reported, by key; those of every evaluation, if none are given.
        augmentation: what the protocol's level is applied by.
        progress: called before every check.

    Returns:
        A finding per check, in the order of `CHECKS`. A check that cannot be made, as some code under audit raised,
        is ``broken`` and says what was raised.

    Raises:
        RegistryError: a model, recipe or term that does not exist.
        BenchError: the recipe, the model and the data have no head in common.
    """
    parsed = parse(recipe) if isinstance(recipe, str) else recipe
    whose = model if isinstance(model, str) else "the audited model, or a term or metric,"
    with settings_kept(whose), _one_thread(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        built = models.build(model) if isinstance(model, str) else None if model is None else model()
        setup = Setup(parsed, source, protocol, built, metrics or default_metrics(), augmentation)
        _ = setup.output  # what a model raises, or returns amiss, is reported once and not for every check
        return [_run_check(check, setup, progress) for check in CHECKS]


def _run_check(check: Check, setup: Setup, progress: Progress) -> Finding:
    progress(f"audit: {check.__name__}", CHECKS.index(check), len(CHECKS))
    try:
        return check(setup)
    except (BenchError, RegistryError):
        raise
    except Exception as error:  # user-defined terms, metrics and models raise anything
        reason = str(error).partition("\n")[0] or "no reason given"
        finding = f"cannot be made: {type(error).__name__}: {reason}"
        return Finding(check=check.__name__, grade="broken", finding=finding, advice="mend what raised it")


@contextmanager
def _one_thread() -> Iterator[None]:
    """A thread costs more to wake than it saves on maps this small, and much more on a machine that is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
