"""Measures what machine this is, and picks the device, the precision and the memory format to compute in."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import get_args

import torch

from bench.core.environment import Environment
from bench.core.errors import BenchError
from bench.core.float32 import float32_on_cuda
from bench.core.spec import MemoryFormat, Precision

_PACKAGES = (
    "torch",
    "torchvision",
    "segmentation-models-pytorch",
    "timm",
    "pytorch-msssim",
    "torchmetrics",
    "numpy",
    "scipy",
    "pillow",
)
"""Whatever can change a number."""
_ON_CUDA = ("triton",)
"""And that on a GPU: kernels that render differ from torch's operations by a level of 256 now and then."""

_NATIVE_BFLOAT16 = re.compile(r"bf16|amx|avx10|vnni_2")
"""In the instruction set of an implementation of oneDNN that computes in bfloat16 without converting to float32."""


def environment(device: torch.device) -> Environment:
    """Describe this machine as a run on ``device`` sees it."""
    cuda = device.type == "cuda"
    gpu = torch.cuda.get_device_properties(device) if cuda else None
    packages = (*_PACKAGES, *_ON_CUDA) if cuda else _PACKAGES
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
        packages={name: version for name in packages if (version := package_version(name)) is not None},
    )


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` is the first CUDA device, else the CPU; a CUDA device always has its number, and is the current one.

    Raises:
        BenchError: a device that torch cannot use here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.partition(":")[0] not in ("cpu", "cuda"):
        raise BenchError(f"unknown device {name!r}: choose auto, cpu, cuda, cuda:1 ...")
    try:
        device = torch.device(name)
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


def steady_arithmetic(precision: Precision = "float32") -> None:
    """On a GPU let float32 mean float32, unless the precision is ``tf32``, and cuDNN choose its algorithms by trying.

    Every trial of a new shape costs time and a workspace: training's shapes are fixed, and what is computed in a shape
    of its own is done within `untried_shapes`.
    """
    torch.backends.cudnn.benchmark = True
    float32_on_cuda("tf32" if precision == "tf32" else "ieee")


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
    """``auto`` is bfloat16 where the libraries in use compute in it natively, else float32; nothing is measured.

    Raises:
        BenchError: an unknown precision, or a precision that the device does not have.
    """
    for precision in get_args(Precision):
        if name == precision:
            found: Precision = precision
            if found == "tf32" and not _has_tf32(device):
                raise BenchError("precision tf32 needs a GPU with tensor cores (Ampere or later): take float32")
            return found
    if name != "auto":
        raise BenchError(f"unknown precision {name!r}; choose auto, {', '.join(get_args(Precision))}")
    cuda = device.type == "cuda"
    native = torch.cuda.is_bf16_supported(including_emulation=False) if cuda else _onednn_has_bfloat16()
    return "bfloat16" if native else "float32"


def pick_memory_format(name: str = "auto") -> MemoryFormat:
    """``auto`` is channels_last, which loaders serve and convolutions follow.

    Raises:
        BenchError: an unknown memory format.
    """
    for memory_format in get_args(MemoryFormat):
        if name == memory_format:
            found: MemoryFormat = memory_format
            return found
    if name != "auto":
        raise BenchError(f"unknown memory format {name!r}; choose auto, {' or '.join(get_args(MemoryFormat))}")
    return "channels_last"


@cache
def _onednn_has_bfloat16() -> bool:
    """Whether oneDNN, as it is built and set up in this process, convolves in bfloat16 without converting to float32.

    torch says only whether oneDNN takes bfloat16 at all, which it does by conversion on any AVX-512 processor, and a
    processor's flags ignore ``ONEDNN_MAX_CPU_ISA``: so oneDNN's own choice of implementation is read.
    """
    supported = torch.ops.mkldnn._is_mkldnn_bf16_supported
    if not torch.backends.mkldnn.is_available() or not supported():  # type: ignore[no-untyped-call]
        return False
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    implementations = re.findall(r"exec,cpu,convolution,[^,:]*:([^,]*),", _verbose_convolution())
    return bool(implementations) and all(map(_NATIVE_BFLOAT16.search, implementations))


def _verbose_convolution() -> str:
    """The verbose line of oneDNN on a small convolution in bfloat16; oneDNN writes to the process's own stdout only."""
    images = torch.zeros(1, 16, 8, 8, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    weights = torch.zeros(16, 16, 3, 3, dtype=torch.bfloat16)
    flush = getattr(ctypes.CDLL(None), "fflush", lambda _: 0) if os.name == "posix" else lambda _: 0
    with suppress(OSError, ValueError), tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        flush(None)
        kept = os.dup(1)
        try:
            os.dup2(file.fileno(), 1)
            verbose = torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON)  # type: ignore[no-untyped-call]
            with torch.no_grad(), verbose:
                torch.nn.functional.conv2d(images, weights)
            flush(None)
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        return file.read().decode(errors="replace")
    return ""


@cache
def package_version(package: str) -> str | None:
    """The version of an installed package; None without it."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None


def _has_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def _driver() -> str:
    """The NVIDIA driver's version, by the kernel module's own file, else by NVML; ``unknown`` without either."""
    path = Path("/proc/driver/nvidia/version")
    with suppress(OSError):
        if found := re.search(r"Kernel Module(?: for \S+)?\s+([\d.]+)", path.read_text()):
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
