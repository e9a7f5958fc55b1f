"""Camera conditions by name, parameters in brackets: ``handheld[shift=0.05]``. Importing this imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.registry import Registry

if TYPE_CHECKING:
    from bench.data.camera.condition import Camera

cameras: Registry[Camera] = Registry(
    "camera",
    "bench list cameras",
    group="maskdepth_bench.cameras",
    index="bench.data.camera:cameras",
    makes="bench.data.camera.condition:Camera",
)
cameras.lazy("bench.data.camera.condition", "handheld", "still")
