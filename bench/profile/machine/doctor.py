"""Examines this machine: what is installed, which device there is, and what is slow about it, by measurement."""

from __future__ import annotations

import importlib
import shutil
from importlib import metadata

import torch

from bench.core.finding import Finding, Grade
from bench.core.machine import environment, pick_device, pick_precision, steady_arithmetic
from bench.core.processors import load_average, usable_processors
from bench.profile.machine.ceiling import copy_rate, product_rate

_IMPORTS = {
    "torchvision": "torchvision",
    "segmentation-models-pytorch": "segmentation_models_pytorch",
    "timm": "timm",
    "pytorch-msssim": "pytorch_msssim",
    "tensorboard": "tensorboard",
}
_DISK_GIB = 2
_PRODUCTS = {
    "cpu": {"float32": torch.float32, "bfloat16": torch.bfloat16},
    "cuda": {"IEEE float32": torch.float32, "TF32": torch.float32, "bfloat16": torch.bfloat16},
}


def examine() -> list[Finding]:
    """Make every check; takes a few seconds."""
    device = pick_device()
    return [
        *(_package(name, module) for name, module in _IMPORTS.items()),
        _machine(device),
        examine_threads(),
        _precision(device),
        _disk(),
        _products(device),
        _copies(device),
    ]


def _finding(grade: Grade, check: str, finding: str, advice: str = "") -> Finding:
    return Finding(check=check, grade=grade, finding=finding, advice=advice)


def _package(name: str, module: str) -> Finding:
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken pair of torch and torchvision raises almost anything
        return _finding("broken", name, f"cannot be imported: {error}", f"pip install --force-reinstall torch {name}")
    return _finding("ok", name, metadata.version(name))


def _machine(device: torch.device) -> Finding:
    here = environment(device)
    gpu = "" if here.cuda else "; no GPU that torch can use: take protocol quick"
    return _finding("ok", "device", f"{here.label}, {here.memory_gib} GiB memory{gpu} ({here.fingerprint})")


def examine_threads() -> Finding:
    """Whether torch computes with more threads than there are processors, and whether others compute here."""
    threads, cores = torch.get_num_threads(), usable_processors()
    if threads > cores:
        return _finding("warn", "threads", f"{threads} on {cores} cores", f"set OMP_NUM_THREADS={cores}")
    load = load_average()
    if load is None:
        return _finding("ok", "threads", f"{threads} on {cores} cores")
    if load > 0.5 * cores:
        return _finding(
            "warn", "threads", f"{threads}; others keep {load:.1f} of {cores} cores busy", "time on an idle machine"
        )
    return _finding("ok", "threads", f"{threads} on {cores} cores, load {load:.1f}")


def _precision(device: torch.device) -> Finding:
    chosen = pick_precision(device)
    if chosen == "float32":
        return _finding("warn", "precision", "float32: this device has no native bfloat16", "expect half the speed")
    return _finding("ok", "precision", chosen)


def _disk() -> Finding:
    free = shutil.disk_usage(".").free / 2**30
    if free < _DISK_GIB:
        return _finding("warn", "disk", f"{free:.1f} GiB free here", "checkpoints may not fit; free some space")
    return _finding("ok", "disk", f"{free:.0f} GiB free here")


def _products(device: torch.device) -> Finding:
    rates = {}
    for precision, kind in _PRODUCTS[device.type].items():
        steady_arithmetic("tf32" if precision == "TF32" else "float32")
        rates[precision] = product_rate(device, kind)
    steady_arithmetic()
    shown = ", ".join(f"{rate:.0f} in {precision}" for precision, rate in rates.items())
    return _finding("ok", "matrix products", f"GFLOP/s: {shown}")


def _copies(device: torch.device) -> Finding:
    return _finding("ok", "memory copies", f"{copy_rate(device):.1f} GB/s read and written")
