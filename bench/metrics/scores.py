"""`Scores`: gathers per-image metrics on the device, reads them back once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, nan

import numpy as np
import torch
from torch import Tensor

from bench.metrics.metric import Metric
from bench.metrics.summary import Columns, Summary, summarise, summarise_column
from bench.metrics.table import metrics
from bench.metrics.view import View
from registry.contract import Prediction, Quartet
from registry.errors import RegistryError


class Scores:
    """The per-image metrics of an evaluation, batch after batch.

    `update` leaves its values on the device and never waits for it; `result` reads everything back at once.

    Args:
        keys: of the metrics, with their parameters in brackets.

    Attributes:
        facts: what is known of each metric, by its key in canonical form.

    Raises:
        UnknownName, BadParameter: a key is no metric.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._metrics = list({metric.key: metric for metric in map(metrics.bind, keys)}.values())
        self._weights = list(dict.fromkeys(m.facts.weight for m in self._metrics if m.facts.weight is not None))
        self._batches: list[Tensor] = []
        self.facts = {metric.key: metric.facts for metric in self._metrics}

    @torch.no_grad()
    def update(self, prediction: Prediction, quartet: Quartet) -> None:
        """Add the images of a batch.

        A metric whose head or target is missing is NaN for all of them. An image whose prediction holds a NaN scores
        infinitely bad, so that it cannot improve a mean by being left out of it.

        Raises:
            RegistryError: a metric did not return a value per image.
        """
        view = View(prediction, quartet)
        # An evaluation may run under autocast; what is measured must not depend on it.
        with torch.autocast(view.device.type, enabled=False):
            columns = [column_of(metric, view) for metric in self._metrics]
            weights = [weights_of(name, view) for name in self._weights]
            self._batches.append(torch.stack([*columns, *weights]))

    def result(self) -> Columns:
        """All values by metric, (images,) float32 each, in the order of the updates; weights by their own name."""
        names = [*self.facts, *self._weights]
        if not self._batches:
            return {name: np.empty(0, dtype=np.float32) for name in names}
        table = torch.cat(self._batches, dim=1).cpu().numpy()
        return dict(zip(names, table, strict=True))

    def summary(self) -> dict[str, Summary]:
        """Each metric's figure, and how many images it rests on; reads back from the device."""
        return summarise(self.result(), self.facts)


def column_of(metric: Metric, view: View) -> Tensor:
    """As `values_of`, finite or NaN but for an image whose prediction holds a NaN: that is infinitely bad.

    NaN from a division by zero means undefined.

    Raises:
        RegistryError: as `values_of`.
    """
    values = values_of(metric, view)
    values = torch.where(values.isinf(), nan, values)
    for head in view.broken.keys() & metric.facts.needs:
        values = torch.where(view.broken[head], -inf if metric.facts.higher_is_better else inf, values)
    return values


def values_of(metric: Metric, view: View) -> Tensor:
    """A metric's values for a batch, (B,), float32; NaN where it is undefined.

    Raises:
        RegistryError: it did not return a value per image.
    """
    facts = metric.facts
    if not view.offers.issuperset(facts.needs):
        return torch.full((len(view),), nan, device=view.device)
    values = metric.per_image(view)
    if not isinstance(values, Tensor) or values.shape != (len(view),):
        given = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else f"a {type(values).__name__}"
        raise RegistryError(f"metric {metric.key!r} returned {given}: it must return a value per image, ({len(view)},)")
    values = values.float()
    if {"mask", "true_mask"} & set(facts.needs) and view.mask_valid is not None:
        values = torch.where(view.mask_pixels > 0, values, nan)
    return values


def scores_of(chosen: Mapping[str, Metric], view: View) -> dict[str, float]:
    """Each metric's figure for a batch, undefined metrics left out; reads back from the device."""
    found = {}
    for name, metric in chosen.items():
        names = [metric.key, *filter(None, [metric.facts.weight])]
        values = [values_of(metric, view), *(weights_of(weight, view) for weight in names[1:])]
        columns = {name: column.cpu().numpy() for name, column in zip(names, values, strict=True)}
        value = summarise_column(metric.key, metric.facts, columns).value
        if value is not None:
            found[name] = value
    return found


def default_metrics() -> dict[str, Metric]:
    """Those that every evaluation computes, by key."""
    return {name: metrics.bind(name) for name in metrics.default()}


def weights_of(name: str, view: View) -> Tensor:
    """How much each image counts, (B,), by an attribute of `View`; NaN where the batch lacks it."""
    try:
        weight: Tensor = getattr(view, name)
    except LookupError:
        return torch.full((len(view),), nan, device=view.device)
    return weight
