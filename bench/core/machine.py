"""Measures what machine this is, and picks the device and precision to compute in."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module, metadata
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
        driver=_driver() if cuda else None,
        cudnn=str(torch.backends.cudnn.version())  # type: ignore[no-untyped-call]
        if cuda
        else None,
        packages={name: metadata.version(name) for name in _PACKAGES},
    )


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU; a CUDA device always has its number, and is the current one.

    Raises:
        BenchError: a device that torch cannot use here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda"):
            raise BenchError(f"device {name!r} is not supported: choose auto, cpu or cuda")
        if device.type == "cuda":
            if device.index is None:
                device = torch.device("cuda", torch.cuda.current_device())
            torch.cuda.set_device(device)  # events are recorded on the current device's stream
        torch.empty(0, device=device)
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


def steady_arithmetic(precision: Precision = "float32") -> None:
    """On a GPU let float32 mean float32, unless ``tf32`` is asked for, and cuDNN choose its algorithms by trying.

    Every trial of a new shape costs time and a workspace: training's shapes are fixed, and what is computed in a shape
    of its own is done within `untried_shapes`.
    """
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"


@contextmanager
def untried_shapes() -> Iterator[None]:
    """For work in a shape that hardly comes again: cuDNN takes what its rules name instead of trying."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def pick_precision(device: torch.device, name: str = "auto") -> Precision:
    """``auto`` is bfloat16 where the device computes in it natively, else float32; nothing is measured.

    Raises:
        BenchError: an unknown precision, or one that the device does not have.
    """
    for precision in get_args(Precision):
        if name == precision:
            found: Precision = precision
            if found == "tf32" and not _has_tf32(device):
                raise BenchError("precision tf32 needs a GPU with tensor cores (Ampere or later): take float32")
            return found
    if name != "auto":
        raise BenchError(f"unknown precision {name!r}; choose auto, {', '.join(get_args(Precision))}")
    return native_precisions(device)[-1]


def _has_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def _cpu_has_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _driver() -> str:
    """The NVIDIA driver's version, by the kernel module's own file, else by NVML; ``unknown`` without either."""
    path = Path("/proc/driver/nvidia/version")
    with suppress(OSError):
        if found := re.search(r"Kernel Module\D*([\d.]+)", path.read_text()):
            return found[1]
    try:
        nvml = import_module("pynvml")
        nvml.nvmlInit()
        version = nvml.nvmlSystemGetDriverVersion()
    except Exception:  # the package is missing, or NVML is: either way nothing is known
        return "unknown"
    return version.decode() if isinstance(version, bytes) else str(version)


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
