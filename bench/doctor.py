"""Examines this machine: what is installed, which device there is, and what is slow about it, by measurement."""

from __future__ import annotations

import importlib
import os
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

import torch

from bench.environment import environment, pick_device, pick_precision

Grade = Literal["ok", "warn", "broken"]

_IMPORTS = {
    "torchvision": "torchvision",
    "segmentation-models-pytorch": "segmentation_models_pytorch",
    "timm": "timm",
    "pytorch-msssim": "pytorch_msssim",
    "torchmetrics": "torchmetrics",
    "tensorboard": "tensorboard",
}
_DISK_GIB = 2
_SIDE = 1024
_COPY_MIB = 256


@dataclass(frozen=True)
class Verdict:
    """One finding: its grade, what was looked at, what was found, and what to do about it."""

    grade: Grade
    what: str
    finding: str
    advice: str = ""


def examine() -> list[Verdict]:
    """Look at everything; takes a few seconds."""
    device = pick_device()
    return [
        *(_package(name, module) for name, module in _IMPORTS.items()),
        _machine(device),
        _threads(),
        _precision(device),
        _disk(),
        _products(device),
        _copies(device),
    ]


def _package(name: str, module: str) -> Verdict:
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken pair of torch and torchvision raises almost anything
        return Verdict("broken", name, f"cannot be imported: {error}", f"pip install --force-reinstall torch {name}")
    return Verdict("ok", name, metadata.version(name))


def _machine(device: torch.device) -> Verdict:
    here = environment(device)
    gpu = "" if here.cuda else "; no GPU that torch can use: take protocol quick"
    return Verdict("ok", "device", f"{here.label}, {here.memory_gib} GiB memory{gpu} ({here.fingerprint})")


def _threads() -> Verdict:
    threads, cores = torch.get_num_threads(), len(os.sched_getaffinity(0))
    if threads > cores:
        return Verdict("warn", "threads", f"{threads} on {cores} cores", f"set OMP_NUM_THREADS={cores}")
    load = os.getloadavg()[0]
    if load > 0.5 * cores:
        return Verdict(
            "warn", "threads", f"{threads}; others keep {load:.1f} of {cores} cores busy", "time on an idle machine"
        )
    return Verdict("ok", "threads", f"{threads} on {cores} cores, load {load:.1f}")


def _precision(device: torch.device) -> Verdict:
    chosen = pick_precision(device)
    if chosen == "float32":
        return Verdict("warn", "precision", "float32: this device has no native bfloat16", "expect half the speed")
    return Verdict("ok", "precision", chosen)


def _disk() -> Verdict:
    free = shutil.disk_usage(".").free / 2**30
    if free < _DISK_GIB:
        return Verdict("warn", "disk", f"{free:.1f} GiB free here", "checkpoints may not fit; free some space")
    return Verdict("ok", "disk", f"{free:.0f} GiB free here")


def _products(device: torch.device) -> Verdict:
    rates = []
    for kind in (torch.float32, torch.bfloat16):
        x = torch.randn(_SIDE, _SIDE, device=device, dtype=kind)
        rates.append(2 * _SIDE**3 / _seconds(lambda x=x: x @ x, device) / 1e9)  # type: ignore[misc]
    finding = f"{rates[0]:.0f} GFLOP/s in float32, {rates[1]:.0f} in bfloat16"
    return Verdict("ok", "matrix products", finding)


def _copies(device: torch.device) -> Verdict:
    x = torch.empty(_COPY_MIB * 2**20, dtype=torch.uint8, device=device)
    y = torch.empty_like(x)
    rate = 2 * x.numel() / _seconds(lambda: y.copy_(x), device) / 1e9
    return Verdict("ok", "memory copies", f"{rate:.1f} GB/s read and written")


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Median time of some work after a warm-up."""
    times = []
    for _ in range(8):
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[2:])
