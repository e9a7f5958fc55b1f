"""Pictures that are made, and what JPEG makes of them."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional


def pictures(count: int, seed: int = 0) -> Tensor:
    coarse = torch.rand(count, 3, 7, 7, generator=torch.Generator().manual_seed(seed))
    return functional.interpolate(coarse, (64, 64), mode="bicubic").clamp(0, 1)


def jpeg(image: Tensor, quality: int) -> Tensor:
    file = io.BytesIO()
    Image.fromarray((image.permute(1, 2, 0) * 255).byte().numpy()).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1) / 255
