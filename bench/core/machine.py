"""Measures what machine this is, and picks the device and precision to compute in."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import get_args

import torch

from bench.core.environment import Environment
from bench.core.errors import BenchError
from bench.core.spec import Precision

_PACKAGES = ("torch", "torchvision", "segmentation-models-pytorch", "timm", "pytorch-msssim", "numpy")


def environment(device: torch.device) -> Environment:
    """Describe this machine as a run on ``device`` sees it."""
    cuda = device.type == "cuda"
    gpu = torch.cuda.get_device_properties(device) if cuda else None
    return Environment(
        device=gpu.name if gpu else _processor(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        gpu_memory_gib=round(gpu.total_memory / 2**30) if gpu else None,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        cuda=torch.version.cuda if cuda else None,
        packages={name: metadata.version(name) for name in _PACKAGES},
    )


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU.

    Raises:
        BenchError: a device that torch cannot use here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda"):
            raise BenchError(f"device {name!r} is not supported: choose auto, cpu or cuda")
        torch.empty(0, device=device)
        if device.type == "cuda":
            torch.cuda.set_device(device)  # events are recorded on the current device's stream
    except (RuntimeError, AssertionError) as error:
        raise BenchError(
            f"device {name!r} cannot be used here: {str(error).splitlines()[0]}; try --device cpu"
        ) from None
    return device


def native_precisions(device: torch.device) -> tuple[Precision, ...]:
    """What the device computes in natively: float32, and bfloat16 where it has it."""
    cuda = device.type == "cuda"
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False) if cuda else _cpu_has_bfloat16()
    return ("float32", "bfloat16") if has_bfloat16 else ("float32",)


def steady_arithmetic() -> None:
    """Let float32 mean float32 on a GPU (no TF32), and cuDNN choose its algorithms by trying: shapes are fixed."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def pick_precision(device: torch.device, name: str = "auto") -> Precision:
    """``auto`` is bfloat16 where the device computes in it natively, else float32; nothing is measured.

    Raises:
        BenchError: an unknown precision.
    """
    for precision in get_args(Precision):
        if name == precision:
            found: Precision = precision
            return found
    if name != "auto":
        raise BenchError(f"unknown precision {name!r}; choose auto, float32 or bfloat16")
    return native_precisions(device)[-1]


def _cpu_has_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


@cache
def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device; on a CPU at most 4 GiB, as it serves others too."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + cached
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 2**30
    return min(available, 4 * 2**30)
