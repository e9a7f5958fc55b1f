"""Evaluation: one pass over a part, metrics accumulated on the device, one read-back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.data.loading.loader import Loader
from bench.metrics import MetricFacts, metrics
from bench.metrics.scores import Scores
from bench.metrics.summary import Columns, Summary, summarise
from bench.timing.ledger import Ledger
from registry.losses.objective import Objective


@dataclass(frozen=True)
class Evaluation:
    """What a pass over a part found.

    Attributes:
        loss: by term and ``total``, means over images; empty without an objective.
        columns: per-image values by metric.
        ids: the samples, in the order of the columns.
        facts: what is known of each metric, by its key.
    """

    loss: dict[str, float]
    columns: Columns
    ids: Tensor
    facts: dict[str, MetricFacts]

    def summary(self) -> dict[str, Summary]:
        """Each metric's one figure, and how many images it rests on."""
        return summarise(self.columns, self.facts)


def evaluate(
    model: nn.Module,
    loader: Loader,
    objective: Objective | None,
    autocast: torch.autocast,
    ledger: Ledger,
    heads: Sequence[str],
) -> Evaluation:
    """Score a model on every sample of a loader; the model is left in evaluation mode.

    Only ``heads`` are scored: what a head says that nothing trained is no result.
    """
    model.eval()
    scores = Scores(metrics.default())
    losses: list[dict[str, Tensor]] = []
    ids: list[Tensor] = []
    with torch.no_grad():
        for batch in ledger.steps(loader.in_order(), images=loader.batch):
            with ledger("forward"), autocast:
                output = model(*batch.quartet.inputs)
            prediction = output.only(heads)
            if objective is not None:
                result = objective(prediction, batch.quartet, span=ledger)
                losses.append({"total": result.total, **result.heads, **result.terms})
            with ledger("metrics"):
                scores.update(prediction, batch.quartet)
            ids.append(batch.ids)
    weights = torch.tensor([float(len(chunk)) for chunk in ids])
    names = list(losses[0]) if losses else []
    table = torch.stack([torch.stack([row[name].float() for name in names]) for row in losses]).cpu() if names else None
    means = {} if table is None else dict(zip(names, (weights @ table / weights.sum()).tolist(), strict=True))
    return Evaluation(means, scores.result(), torch.cat(ids), scores.facts)
