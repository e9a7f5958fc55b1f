"""The index of camera conditions; parameters in brackets: ``handheld[shift=0.05]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.registry import Registry

if TYPE_CHECKING:
    from bench.data.camera import Camera

cameras: Registry[Camera] = Registry(
    "camera", "bench list cameras", group="maskdepth_bench.cameras", index="bench.data.cameras:cameras"
)
cameras.lazy("bench.data.camera", "handheld", "still")
