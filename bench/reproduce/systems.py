"""The five published systems, one table."""

from __future__ import annotations

from functools import partial

from bench.protocol import Stage
from bench.reproduce.measures import (
    blended_iou,
    coefficient,
    depth_contrast,
    depth_logits_are_target,
    foreground_share,
    inverted_rmse,
    loss,
    mask_entropy,
    mask_iou,
    mean_error,
    pooled_dice,
    root_error,
)
from bench.reproduce.system import Budget, Experiment, Figure, Form, System
from registry.errors import UnknownName


def _both(name: str, quoted: str, measure: partial[float]) -> Figure:
    """A figure computed alike for both forms."""
    return Figure(name, quoted, measure, measure)


def _loss(quoted: str, published: str, corrected: str, name: str = "test loss") -> Figure:
    return Figure(name, quoted, partial(loss, recipe=published), partial(loss, recipe=corrected))


_MASK_IOU = _both("mask IoU, by this project", "not given", partial(mask_iou))
_DEPTH_RMSE = _both("depth RMSE, by this project", "not given", partial(root_error, head="depth"))

_000_ADAM = "adam[lr=0.01]"
_001_SGD = "sgd[lr=0.01,momentum=0.9,weight_decay=1e-5]"
_002_SGD = "sgd[lr=0.01,momentum=0.9,weight_decay=1e-5]"
_004_SGD = "sgd[lr=0.01,momentum=0.9]"

_TABLE = (
    System(
        key="000",
        title="PyTNet: W-Net and depth U-Net",
        stretched=True,
        small=Budget((Stage(size=64, batch=8, epochs=10),), samples=128),
        full=Budget((Stage(size=64, batch=128, epochs=10),), samples=56_000),
        experiments=(
            Experiment(
                title="W-Net, cross entropy on both heads",
                fault="Targets were divided by 255 twice, so that they lay between 0 and 1/255: the loss sat at its "
                'entropy floor from the first epoch and the Dice "in the range of 0.00" that the author reports could '
                "not exceed 0.008 for a perfect mask. Put right, targets are divided once.",
                published=Form("wnet", "bce@published", _000_ADAM, "plateau[patience=2]"),
                corrected=Form("wnet", "bce", _000_ADAM, "plateau[patience=2]"),
                figures=(
                    Figure('mask "Coef" (soft Dice)', ".0025 to .0031", partial(coefficient, divided=255), coefficient),
                    _loss(".0076 to .0077", "depth: ~", "depth: ~"),
                    _MASK_IOU,
                    _DEPTH_RMSE,
                ),
            ),
        ),
    ),
)
