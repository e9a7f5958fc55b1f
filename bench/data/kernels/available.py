"""Whether a tensor's device can run the kernels of this package; importing this imports no Triton."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from importlib.util import find_spec

import torch
from torch import Tensor


def fused(tensor: Tensor) -> bool:
    """Whether work on this tensor is left to kernels: it is on a GPU for which Triton compiles."""
    return compiles(tensor.device)


def on_device_of(tensor: Tensor) -> AbstractContextManager[object]:
    """Where kernels for that tensor are started."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


@lru_cache(maxsize=16)
def compiles(device: torch.device) -> bool:
    """Whether this is a GPU, and Triton is installed and compiles for it, which takes a C compiler too; tried once."""
    if device.type != "cuda" or find_spec("triton") is None:
        return False
    try:
        from bench.data.kernels.draws import draw

        draw(torch.zeros(1, dtype=torch.int64, device=device), 0, 1)
    except Exception:  # whatever is wrong with Triton, torch does the same, slower
        return False
    return True
