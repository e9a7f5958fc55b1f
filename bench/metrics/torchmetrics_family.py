"""Any scalar, pixel-by-pixel metric of torchmetrics by name: ``torchmetrics/mask/BinaryMatthewsCorrCoef``.

``torchmetrics/mask/...`` takes what torchmetrics has for binary classification (the true mask thresholded at 0.5)
and for regression, ``torchmetrics/depth/...`` what it has for regression. Each image is scored alone, on its pixels
of known target, on the activated value; parameters are those of the torchmetrics class, in brackets. Two more are
ours: ``higher`` is the direction where torchmetrics does not define it, ``perfect`` the value of a perfect prediction.

What gives a curve or several numbers, needs classes or groups, or sees an image as a whole and so cannot leave pixels
out, is refused with the reason.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch
import torchmetrics
from torch import Tensor
from torchmetrics import classification, regression

from bench.core.record.metric_facts import MetricFacts
from bench.metrics.metric import make_facts
from bench.metrics.view import View
from registry.errors import BadParameter, RegistryError, UnknownName
from registry.lookup.entry import Entry

_PREFIX = "torchmetrics/"
_HEADS = ("mask", "depth")
_FIXED = {"validate_args": False}
_WITHHELD = {"validate_args", "ignore_index", "multidim_average", "num_outputs", "multioutput"}
"""Parameters that are decided here: pixels are left out before torchmetrics sees them, and images are scored alone."""

_LEAST = 2
"""Pixels of known target below which the metric is undefined for an image."""

_EXAMPLE = (
    torch.tensor([0.9, 0.8, 0.3, 0.2, 0.7, 0.1, 0.6, 0.4]),
    torch.tensor([0.8, 0.9, 0.2, 0.4, 0.3, 0.1, 0.7, 0.6]),
)


def names(head: str) -> list[str]:
    """What may stand after ``torchmetrics/<head>/``, before it was tried."""
    found = {name for name in regression.__all__ if _is_class(regression, name)}
    if head == "mask":
        found |= {
            name for name in classification.__all__ if name.startswith("Binary") and _is_class(classification, name)
        }
    return sorted(found)


class PerImage:
    """A torchmetrics class as a metric of ours: a call scores every image of a view alone.

    Args:
        head: ``mask`` or ``depth``.
        kind: the class.
    """

    def __init__(self, head: str, kind: type[torchmetrics.Metric]) -> None:
        self._head, self._kind = head, kind
        view = inspect.Parameter("view", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        own = [
            p.replace(kind=p.KEYWORD_ONLY)
            for p in list(inspect.signature(kind.__init__).parameters.values())[1:]
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in _WITHHELD
        ]
        ours = [
            inspect.Parameter("higher", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=bool | None),
            inspect.Parameter("perfect", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=float | None),
        ]
        self.__signature__ = inspect.Signature([view, *own, *ours])
        self.__doc__ = f"{kind.__name__} of torchmetrics on the {head}."
        self._classifies = kind.__module__.startswith("torchmetrics.classification")

    def __call__(
        self, view: View, higher: bool | None = None, perfect: float | None = None, **parameters: Any
    ) -> Tensor:
        """The metric of every image of known target, (B,); NaN where fewer than two pixels have a known target."""
        metric = self.metric(parameters).to(view.device)
        predicted, target = view.judged(self._head)
        values = []
        for image in range(len(view)):
            known = None if target.is_known is None else target.is_known[image]
            pair = [
                maps[image].flatten() if known is None else maps[image][known]
                for maps in (predicted.value, target.value)
            ]
            values.append(
                self._score(metric, *pair) if len(pair[0]) >= _LEAST else predicted.value.new_tensor(torch.nan)
            )
        return torch.stack(values).float()

    def metric(self, parameters: Mapping[str, Any]) -> torchmetrics.Metric:
        """The torchmetrics object.

        Raises:
            BadParameter: it does not take these parameters.
        """
        fixed = {
            name: value for name, value in _FIXED.items() if name in inspect.signature(self._kind.__init__).parameters
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the memory for pixels, which are let go after each image
                return self._kind(**parameters, **fixed)
        except (TypeError, ValueError) as error:
            raise BadParameter(f"{self._kind.__name__} of torchmetrics: {error}") from error

    def describe(self, params: Mapping[str, Any]) -> MetricFacts:
        """The facts under these parameters; the metric is tried on eight pixels.

        Raises:
            RegistryError: it gives no scalar of two lists of pixels.
            BadParameter: the direction is not defined.
        """
        own = {name: value for name, value in params.items() if name not in ("higher", "perfect")}
        name = f"{_PREFIX}{self._head}/{self._kind.__name__}"
        self._try(name, self.metric(own))
        higher = self._kind.higher_is_better if params.get("higher") is None else params["higher"]
        if higher is None:
            raise BadParameter(
                f"torchmetrics does not say which way {self._kind.__name__} is better: "
                f"write {name}[higher=true] or [higher=false]"
            )
        if self._kind.higher_is_better is not None and higher != self._kind.higher_is_better:
            raise BadParameter(f"torchmetrics says that {'lower' if higher else 'higher'} is better in {name}")
        bound = self._kind.plot_upper_bound if higher else self._kind.plot_lower_bound
        perfect = params.get("perfect")
        given = {} if bound is None and perfect is None else {"perfect": bound if perfect is None else perfect}
        facts = {"head": self._head, "higher_is_better": higher, "compared": True, "on_request": True, **given}
        return make_facts(name, {**facts, "summary": f"torchmetrics: {self._kind.__name__} on the {self._head}"})

    def _score(self, metric: torchmetrics.Metric, predicted: Tensor, true: Tensor) -> Tensor:
        metric.reset()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of images that have a single class
            metric.update(predicted, (true > 0.5).long() if self._classifies else true)
            value: Tensor = metric.compute()
        return value

    def _try(self, name: str, metric: torchmetrics.Metric) -> None:
        try:
            value = self._score(metric, *_EXAMPLE)
        except Exception as error:  # whatever a metric raises that is not made for this
            reason = str(error).strip().partition("\n")[0]
            raise RegistryError(f"{name} does not take two lists of pixels: {reason}") from error
        if not isinstance(value, Tensor) or value.numel() != 1:
            many = f"{value.numel()} numbers" if isinstance(value, Tensor) else "a curve or several numbers"
            raise RegistryError(f"{name} gives {many}; a metric here is a single number per image")


def entry(name: str) -> Entry[Tensor]:
    """The entry of ``<head>/<class>``.

    Raises:
        UnknownName: torchmetrics has no such metric.
        RegistryError: it has, but it cannot be computed pixel by pixel.
    """
    head, _, kind = name.partition("/")
    if head not in _HEADS or not kind:
        raise RegistryError(f"write torchmetrics/mask/<class> or torchmetrics/depth/<class>, not {_PREFIX}{name}")
    if kind not in names(head):
        _refuse(head, kind)
    found = getattr(classification, kind, None) or getattr(regression, kind)
    metric = PerImage(head, found)
    return Entry(f"{_PREFIX}{name}", metric, {"describe": metric.describe}, about=metric.__doc__ or "")


def _refuse(head: str, kind: str) -> None:
    name = f"{_PREFIX}{head}/{kind}"
    if kind in classification.__all__ and kind.startswith("Binary"):
        raise RegistryError(f"{name} judges two classes, and depth has none; torchmetrics/mask/{kind} does")
    if _is_class(classification, kind):
        raise RegistryError(f"{name} judges several classes or labels; a mask has two: try Binary{kind}")
    for module in ("segmentation", "image"):
        if hasattr(importlib.import_module(f"torchmetrics.{module}"), kind):
            raise RegistryError(
                f"{name} sees an image as a whole: it could not leave out pixels of unknown target "
                "(bench list metrics shows what does: mask_dice, mask_iou, mask_hd95, depth_ssim)"
            )
    raise UnknownName(f"torchmetrics metric of the {head}", kind, names(head), "torchmetrics' own documentation")


def _is_class(module: Any, name: str) -> bool:
    found = getattr(module, name, None)
    return inspect.isclass(found) and issubclass(found, torchmetrics.Metric)
