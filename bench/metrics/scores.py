"""`Scores`: gathers per-image metrics on the device, reads them back once."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nan

import numpy as np
import torch
from torch import Tensor

from bench.metrics.metric import Metric
from bench.metrics.summary import Columns, Summary, summarise
from bench.metrics.table import metric
from bench.metrics.view import View
from registry.contract import Prediction, Quartet


class Scores:
    """The per-image metrics of an evaluation, batch after batch.

    `update` leaves its values on the device and never waits for it; `result` reads everything back at once.

    Args:
        names: the metrics' names.

    Raises:
        UnknownName: one of them is no metric.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._metrics = [metric(name) for name in dict.fromkeys(names)]
        self._weights = {m.weight: m for m in self._metrics if m.weight is not None}
        self._batches: list[Tensor] = []

    @torch.no_grad()
    def update(self, prediction: Prediction, quartet: Quartet) -> None:
        """Add the images of one batch.

        A metric whose head or target is not there is NaN for all of them. An image whose prediction holds a NaN
        scores the worst there can be, infinitely bad, so that it cannot improve a mean by being left out of it.
        """
        view = View(prediction, quartet)
        # An evaluation may run under autocast; what is measured must not depend on it.
        with torch.autocast(view.device.type, enabled=False):
            columns = [self._column(m, m.name, view) for m in self._metrics]
            weights = [self._column(m, name, view) for name, m in self._weights.items()]
            self._batches.append(torch.stack([*columns, *weights]))

    def result(self) -> Columns:
        """All values by metric, (images,) float32 each, in the order of the updates; weights by their own name."""
        names = [*(m.name for m in self._metrics), *self._weights]
        if not self._batches:
            return {name: np.empty(0, dtype=np.float32) for name in names}
        table = torch.cat(self._batches, dim=1).cpu().numpy()
        return dict(zip(names, table, strict=True))

    def summary(self) -> dict[str, Summary]:
        """Each metric's one figure, and how many images it rests on; reads back."""
        return summarise(self.result())

    def _column(self, m: Metric, function: str, view: View) -> Tensor:
        """One function's values for the batch, (B,), float32."""
        if not view.offers.issuperset(m.needs):
            return torch.full((len(view),), nan, device=view.device)
        values = m.load(function)(view)
        if function == m.name:
            for head in view.broken.keys() & m.needs:
                values = torch.where(view.broken[head], -inf if m.higher_is_better else inf, values)
        return values
