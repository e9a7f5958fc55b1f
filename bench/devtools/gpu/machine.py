"""What the machine is, what it does at best, what the host pays for a launch."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch

from bench.core.machine import environment, package_version, pick_precision, steady_arithmetic
from bench.devtools.gpu.worker import Setting
from bench.profile.machine.ceiling import copy_rate, product_rate
from bench.timing.ledger import Ledger

_LAUNCHES = 2000


def machine(setting: Setting) -> None:
    """Versions and clocks; copies and matrix products; microseconds a launch and a mark."""
    device = setting.device
    where = environment(device)
    setting.journal.line(
        "machine",
        fingerprint=where.fingerprint,
        **where.model_dump(),
        triton=package_version("triton"),
        clocks=_clocks(device),
    )
    rates = {}
    for precision in ("float32", "tf32") if setting.cuda else ("float32",):
        steady_arithmetic(precision)
        rates[precision] = product_rate(device, torch.float32)
    steady_arithmetic()
    if pick_precision(device) == "bfloat16":
        rates["bfloat16"] = product_rate(device, torch.bfloat16)
    setting.journal.line("machine", what="best", gflops=rates, gigabytes_a_second=copy_rate(device))
    small = torch.zeros(1, device=device)
    ledger, mark = Ledger(device, seconds=0.0), 0.0
    for _ in range(2):  # windows: events are made in the first, and recorded again in the second as in any later one
        for _ in ledger.window(iter([0]), 1, instrumented=True):
            mark = _microseconds(ledger.mark, setting)
    setting.journal.line(
        "machine",
        what="host microseconds",
        launch=_microseconds(lambda: small.add_(1), setting),
        mark=mark,
        current_stream=_microseconds(lambda: torch.cuda.current_stream(device), setting) if setting.cuda else None,
    )


def _microseconds(work: Callable[[], object], setting: Setting) -> float:
    setting.synchronise()
    began = time.perf_counter()
    for _ in range(_LAUNCHES):
        work()
    spent = time.perf_counter() - began
    setting.synchronise()
    return 1e6 * spent / _LAUNCHES


def _clocks(device: torch.device) -> dict[str, Any] | None:
    """Of the multiprocessors and the memory in MHz, now and at most; the power limit in watts; None without NVML."""
    if device.type != "cuda":
        return None
    try:
        nvml = import_module("pynvml")
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return {
            "sm": nvml.nvmlDeviceGetClockInfo(handle, 1),
            "sm_most": nvml.nvmlDeviceGetMaxClockInfo(handle, 1),
            "memory": nvml.nvmlDeviceGetClockInfo(handle, 2),
            "power_limit": nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3,
            "temperature": nvml.nvmlDeviceGetTemperature(handle, 0),
        }
    except Exception as error:  # whatever NVML lacks, the rest is worth having
        return {"error": str(error)}
