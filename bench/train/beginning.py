"""What a model is given before its first step: another run's weights, and what its inputs are normalised by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from bench.core.errors import BenchError
from bench.data.loading.loader import Loader
from bench.train.assemble import Run
from bench.train.normalization import facts, set_statistics, statistics, wants_statistics


def begin_training(
    run: Run, model: nn.Module, training: Callable[[], Loader], resumed: bool, notice: Callable[[str], None]
) -> dict[str, Any]:
    """Give the model its first weights and statistics; of a run that is resumed, its checkpoint has given them.

    Args:
        run: what is trained.
        model: as `build_model` gives it, or as a checkpoint left it.
        training: opens the training samples, of the first stage.
        resumed: whether the model comes from a checkpoint.
        notice: called with what a person should know.

    Returns:
        What the run's record says of it: ``init`` and ``normalization``, if any.

    Raises:
        BenchError: the weights that the spec names were not given, or fit nowhere.
    """
    spec, found = run.spec, dict[str, Any]()
    if spec.init:
        if run.init is None:
            raise BenchError(f"training starts from weights of checksum {spec.init}, which were not given: --init RUN")
        loaded = run.init.compare(model) if resumed else run.init.give(model)
        found["init"] = {"run": run.init.run, "checksum": spec.init, **loaded.facts()}
        notice(f"starts from {run.init.label}: {loaded.sentence()}")
        for doubt in filter(None, [run.init.doubt(model, spec.protocol.normalize), run.init.code_change]):
            notice(doubt)
    if wants_statistics(model, spec.protocol.normalize) and not resumed:
        set_statistics(model, *statistics(batch.quartet for batch in training().in_order()))
    normalized = facts(model, spec.protocol.normalize)
    return found if normalized is None else {**found, "normalization": normalized}
