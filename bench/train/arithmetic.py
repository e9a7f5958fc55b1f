"""Which kind of arithmetic this is: a digest of the bits that a small fixed net gives, forward and backward.

Names are not enough: ``ONEDNN_MAX_CPU_ISA`` changes which kernels run, and so the last bits of every sum, without
any name changing; and a training multiplies last bits until another processor is worth another seed.

A GPU has no bits of its own: cuDNN chooses algorithms by trials that another process may end otherwise, and sums by
atomic additions have no order. There the names of card, torch, CUDA and cuDNN are all that runs can have in common.
"""

from __future__ import annotations

import hashlib
from functools import cache

import torch
from torch import Tensor, nn

from bench.core.machine import environment, steady_arithmetic
from bench.core.spec import Precision
from bench.train.isolation.random_state import kept_random_state

_IMAGES, _SIDE = 4, 32


def arithmetic(device: torch.device, precision: Precision) -> str:
    """Twelve hex digits over device, torch version, precision, and bits or, on a GPU, CUDA's and cuDNN's versions.

    A number of threads that changes no bit changes no digit.
    """
    return _digest(device, precision, torch.get_num_threads())


@cache
def _digest(device: torch.device, precision: Precision, threads: int) -> str:
    where = environment(device)
    digest = hashlib.sha256("\0".join((where.device, where.packages["torch"], precision)).encode())
    if device.type == "cuda":
        digest.update(f"\0{where.cuda}\0{where.cudnn}".encode())
        return digest.hexdigest()[:12]
    with kept_random_state(device), torch.enable_grad():
        steady_arithmetic(precision)
        for tensor in _bits(device, precision):
            digest.update(tensor.detach().float().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


def _bits(device: torch.device, precision: Precision) -> list[Tensor]:
    """Outputs and gradients of a net of the operations that dense prediction consists of."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(6, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1, groups=64),
        nn.Conv2d(64, 32, 1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(32, 2, 3, padding=1),
    )
    images = torch.randn(_IMAGES, 6, _SIDE, _SIDE)
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = images.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        outputs = net(images)
    outputs.float().sigmoid().square().mean().backward()
    return [outputs, *(parameter.grad for parameter in net.parameters() if parameter.grad is not None)]
