"""Whether a tensor's device can run the kernels of this package; importing this imports no Triton."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

_failed: list[str] = []
"""Why kernels were given up in this process; empty as long as they were not."""


@contextmanager
def fused(tensor: Tensor) -> Iterator[bool]:
    """Whether work on this tensor is left to kernels; where one of them fails, what follows is run instead.

    ::

        with fused(ids) as by_kernel:
            if by_kernel:
                from bench.data.kernels.draws import draw

                return draw(ids, key, columns)
        ...  # the same by torch's operations

    Any failure but a lack of memory (of Triton's import, its compiler, the C compiler it needs, a launch that asks for
    more than the GPU has) is warned of, once, and all kernels are given up for the rest of the process. A loader
    renders a sample before all others, so that this happens before anything is kept that depends on it.
    """
    usable = compiles(tensor.device)
    try:
        yield usable
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        if not usable:
            raise
        _give_up(error)


def on_device_of(tensor: Tensor) -> AbstractContextManager[object]:
    """Where kernels for that tensor are started."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


def compiles(device: torch.device) -> bool:
    """Whether this is a GPU, Triton is installed, and no kernel has failed yet."""
    return device.type == "cuda" and not _failed and _is_installed()


@cache
def _is_installed() -> bool:
    return find_spec("triton") is not None


def _give_up(error: Exception) -> None:
    if not _failed:
        _failed.append(f"{type(error).__name__}: {(str(error).strip().splitlines() or ['no reason given'])[0]}")
        what = f"kernels in Triton cannot be used, torch's operations render instead, slower: {_failed[0]}"
        warnings.warn(what, RuntimeWarning, stacklevel=2)
