"""All models by name. Builders live one family to a file; importing this package imports none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry._registry import Registry

if TYPE_CHECKING:
    from registry.contract import Model

models: Registry[Model] = Registry("model", where="bench list models", group="maskdepth_bench.models")

models.lazy("registry.models.unet", "unet")
