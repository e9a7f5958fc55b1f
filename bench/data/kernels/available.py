"""Whether a tensor's device can run the kernels of this package; importing this imports no Triton."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

_EVERY = "all"
_SERVING = ("mirroring", "unpacking")  # of samples that are made
_failed: dict[str, str] = {}
"""Why a kernel was given up in this process, by the name of its module, or all were; empty as long as none was."""


@contextmanager
def fused(tensor: Tensor, kernel: str) -> Iterator[bool]:
    """Whether work on this tensor is left to a kernel; where it fails, what follows is run instead.

    ::

        with fused(ids, "draws") as by_kernel:
            if by_kernel:
                from bench.data.kernels.draws import draw

                return draw(ids, key, columns)
        ...  # the same by torch's operations

    Any failure but a lack of memory (of its compiler, a launch that asks for more than the GPU has) is warned of, once,
    and that kernel is given up for the rest of the process. If Triton cannot be imported, or two kernels fail for the
    same reason (there is no C compiler, say), all of them are. A loader renders a sample before all others, so that
    this happens before anything is kept that depends on it.

    Args:
        tensor: what is worked on.
        kernel: the module of this package.
    """
    usable = compiles(tensor.device, kernel)
    try:
        yield usable
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        if not usable:
            raise
        _give_up(kernel, error)


def on_device_of(tensor: Tensor) -> AbstractContextManager[object]:
    """Where kernels for that tensor are started."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


def compiles(device: torch.device, kernel: str = _EVERY) -> bool:
    """Whether this is a GPU, Triton is installed, and neither this kernel nor all have been given up."""
    return device.type == "cuda" and _EVERY not in _failed and kernel not in _failed and _is_installed()


def renderers(device: torch.device) -> str:
    """By which kernels samples are made on a GPU, for people and keys: "", "kernels", "kernels but jpeg"."""
    if not compiles(device):
        return ""
    return " but ".join(filter(None, ("kernels", ", ".join(sorted(_failed.keys() - set(_SERVING))))))


@cache
def _is_installed() -> bool:
    return find_spec("triton") is not None


def _give_up(kernel: str, error: Exception) -> None:
    why = f"{type(error).__name__}: {(str(error).strip().splitlines() or ['no reason given'])[0]}"
    if isinstance(error, ImportError) or why in [reason for name, reason in _failed.items() if name != kernel]:
        what, name = f"kernels in Triton cannot be used, torch's operations render instead, slower: {why}", _EVERY
    else:
        what = f"the kernel in Triton `{kernel}` cannot be used, torch's operations do its work, slower: {why}"
        name = kernel
    if name not in _failed:
        _failed[name] = why
        warnings.warn(what, RuntimeWarning, stacklevel=2)
