"""A depth model of one's own as a teacher: here a network in the ONNX format, run by onnxruntime.

bench run --model unet --loss bce_ssim --data stored --root photos/ --depth-model my_teacher:depth

`MY_TEACHER` names the ONNX file, whose input is (B, 3, H, W) and whose output is depth, (B, h, w) or (B, 1, h, w).
"""

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class OnnxDepth:
    """From pictures in [0, 1] to depth."""

    depth_unit = "inverse"  # greater is nearer; "m" for metres, "unit" where greater is farther

    def __init__(self, path: Path, side: int = 256) -> None:
        self.path, self.side = path, side

    @property
    def identity(self) -> str:
        """Text that changes with what is computed: depth is predicted anew when it does."""
        return f"{self.side} {hashlib.sha256(self.path.read_bytes()).hexdigest()}"

    @cached_property
    def session(self) -> Any:
        """The network; loaded when it is first needed."""
        import onnxruntime

        return onnxruntime.InferenceSession(str(self.path), providers=["CPUExecutionProvider"])

    def __call__(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to (B, h, w)."""
        images = functional.interpolate(pictures, (self.side, self.side), mode="bilinear", antialias=True)
        mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
        name = self.session.get_inputs()[0].name
        found = torch.from_numpy(self.session.run(None, {name: ((images - mean) / std).numpy()})[0])
        return found.reshape(len(found), *found.shape[-2:])


depth = OnnxDepth(Path(os.environ.get("MY_TEACHER", "depth.onnx")))
