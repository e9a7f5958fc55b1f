"""All models by name. Each family of builders has a file; importing this package imports none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.registry import Registry

if TYPE_CHECKING:
    from registry.contract import Model

models: Registry[Model] = Registry(
    "model",
    where="bench list models",
    group="maskdepth_bench.models",
    index="registry.models:models",
    makes="torch.nn:Module",
)

models.lazy("registry.models.unet", "unet")
models.lazy("registry.models.pytnet", "unet_mask", "unet_depth", "wnet", "twin_unet")
models.lazy("registry.models.ugent", "ugent_unet", "ugent_unet_wide")
models.lazy("registry.models.carvana", "carvana_unet", "custom_unet")
models.lazy("registry.models.dilated_shuffle", "dilated_shuffle")
models.lazy("registry.models.depthnet", "masknet", "depthmasknet")
models.lazy("registry.models.resnet18_flat", "resnet18_flat")
models.lazy("registry.models.smp.network", "resnet_unet")
models.lazy("registry.models.baselines", "difference", "constant", "mean_map")
models.family("smp/", "registry.models.smp:entry", "registry.models.smp:members")
