"""What machine and software a run had: nothing in it names a person, a host or a path."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import get_args

import torch
from pydantic import BaseModel, ConfigDict

from bench.errors import BenchError
from bench.spec import Precision, canonical_json

_OWN = re.compile(r"([A-Za-z_][\w.]*):[A-Za-z_]")
_PACKAGES = ("torch", "torchvision", "segmentation-models-pytorch", "timm", "pytorch-msssim", "numpy")


class Environment(BaseModel):
    """A machine fingerprint: timings are compared only within one.

    Attributes:
        device: what the run computed on, by its maker's name.
        cores, threads: processor cores there are, and threads torch uses.
        memory_gib: main memory.
        packages: versions.
        instructions: the widest vector instructions torch found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str
    processor: str
    cores: int
    threads: int
    memory_gib: int
    gpu_memory_gib: int | None
    system: str
    python: str
    instructions: str
    cuda: str | None
    packages: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """Eight hex digits over all of it."""
        return hashlib.sha256(canonical_json(self.model_dump()).encode()).hexdigest()[:8]

    @property
    def label(self) -> str:
        """One line for people."""
        where = f"{self.device}, {self.threads} threads" if self.cuda is None else self.device
        return f"{where}, torch {self.packages['torch']}"


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


@cache
def code_version(*names: str) -> str:
    """Twelve hex digits over the code: two runs with the same ran the same.

    Args:
        names: model keys and recipes; the files of a user's own ``module:function`` in them count too.
    """
    digest = hashlib.sha256(own_code(*names).encode())
    top = Path(__file__).parent.parent
    for package in ("bench", "registry"):
        for path in sorted((top / package).rglob("*.py")):
            digest.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def own_code(*names: str) -> str:
    """Twelve hex digits over the files of a user's own ``module:function`` in model keys and recipes; "" for none."""
    digest = b""
    for module in sorted({found for name in names for found in _OWN.findall(name)}):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            content = digest + module.encode() + b"\0" + Path(spec.origin).read_bytes()
            digest = hashlib.sha256(content).digest()
    return digest.hex()[:12]


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
