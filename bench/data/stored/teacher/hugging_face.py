"""Depth models in the form that the library `transformers` saves, from a local folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BenchError

_METRIC = frozenset({"glpn", "zoedepth", "depth_pro", "prompt_depth_anything"})
"""Model types whose depth is in metres; others say so themselves (``depth_estimation_type``) or are inverse."""


def load_hugging_face(folder: Path, device: torch.device) -> tuple[Callable[[Tensor], Tensor], str]:
    """A depth model and the unit of its numbers, ``m`` or ``inverse``.

    Raises:
        BenchError: `transformers` is not installed, or the folder holds no depth model that it can load.
    """
    if not (folder / "config.json").is_file():
        raise BenchError(f"--depth-model {folder}: no config.json in it: no model that transformers saved")
    try:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation
    except ImportError as error:
        raise BenchError(
            "--depth-model of a folder needs the library transformers: pip install 'maskdepth-bench[teacher]'"
        ) from error
    try:
        processor: Any = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModelForDepthEstimation.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # of any kind, as it depends on the model's own code
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BenchError(f"--depth-model {folder} cannot be loaded: {reason}; nothing is downloaded") from error
    model = model.to(device).eval()
    return _Model(processor, model, device), "m" if _is_metric(model.config) else "inverse"


class _Model:
    def __init__(self, processor: Any, model: Any, device: torch.device) -> None:
        self._processor, self._model, self._device = processor, model, device
        known = inspect.signature(processor.post_process_depth_estimation).parameters
        self._wants_sources = "source_sizes" in known

    def __call__(self, pictures: Tensor) -> Tensor:
        """Depth (B, H, W) of pictures (B, 3, H, W) in [0, 1]."""
        size = (pictures.shape[-2], pictures.shape[-1])
        images = [image.permute(1, 2, 0).mul(255).round().byte().cpu().numpy() for image in pictures]
        inputs = self._processor(images=images, return_tensors="pt").to(self._device)
        with torch.inference_mode():
            outputs = self._model(**inputs)
        sizes = {"target_sizes": [size] * len(images)}
        if self._wants_sources:
            sizes["source_sizes"] = sizes["target_sizes"]
        found = self._processor.post_process_depth_estimation(outputs, **sizes)
        depths = [item["predicted_depth"].float().reshape(1, 1, *item["predicted_depth"].shape[-2:]) for item in found]
        return torch.cat([functional.interpolate(d, size, mode="bilinear", align_corners=False) for d in depths])[:, 0]


def _is_metric(config: Any) -> bool:
    stated = getattr(config, "depth_estimation_type", None)
    return stated == "metric" if stated is not None else getattr(config, "model_type", "") in _METRIC
