"""Every network of segmentation_models_pytorch under its name, on every encoder of smp or timm."""

from __future__ import annotations

from registry.models.smp.network import SmpNet, architectures, build, encoders, entry, members

__all__ = ["SmpNet", "architectures", "build", "encoders", "entry", "members"]
