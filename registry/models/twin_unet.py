"""System 003 (torchkit): two narrow U-Nets on one stem, with dropout before every ReLU."""

from __future__ import annotations

from registry.models import models
from registry.models.pytnet import PyTNet
from registry.ranges import below, between


@models.register(
    ranges={"width": between(1, 256), "dropout": below(1)},
    parameters={"twin_unet": 2_161_666},
    stride=16,
    heads=("mask", "depth"),
    source="system 003",
)
def twin_unet(width: int = 16, dropout: float = 0.2) -> PyTNet:
    """System 000's mask branch at half width, twice, on one stem, with element-wise dropout before each ReLU."""
    widths = (width, 2 * width, 4 * width, 8 * width, 8 * width)
    return PyTNet(widths, widths, dropout)
