"""What the machine is, what it does at best, what the host pays for a launch; and the tests that want a GPU."""

from __future__ import annotations

import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from bench.core.machine import environment, package_version, pick_precision, steady_arithmetic
from bench.devtools.gpu.plan import parts
from bench.devtools.gpu.worker import Setting
from bench.profile.machine.ceiling import copy_rate, product_rate
from bench.timing.ledger import Ledger

_LAUNCHES = 2000
_TESTS = "tests/bench", "tests/registry"
_KERNELS = Path("tests/bench/data/kernels")
_OF_LIMIT = 0.85
"""Share of a part's limit that pytest has: the rest is for the start of the part's process, and for writing."""


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


def tests(setting: Setting) -> None:
    """All tests marked cuda but those of kernels, in a process of their own; a line per failure."""
    _tests(setting, "tests", [path for path in _marked() if _KERNELS not in path.parents])


def tests_kernels(setting: Setting) -> None:
    """As `tests`, those of kernels, each of which is compiled for several sizes."""
    _tests(setting, "tests-kernels", [path for path in _marked() if _KERNELS in path.parents])


def _tests(setting: Setting, part: str, paths: list[Path]) -> None:
    """Pytest on these files; where its time runs out, what it said by then is written down."""
    report = setting.scratch / f"{part}.xml"
    words = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={report}"]
    words += ["-m", "cuda", *map(str, paths)]
    output, began = setting.scratch / f"{part}.txt", time.monotonic()
    with (
        output.open("wb") as file,
        subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL) as process,
    ):
        try:
            code: int | None = process.wait(_OF_LIMIT * parts()[part].limit)
        except subprocess.TimeoutExpired:
            process.kill()
            code = None
    said = output.read_text(encoding="utf-8", errors="replace")
    cases = [*ElementTree.parse(report).iter("testcase")] if report.exists() else []
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    for case in failed:
        reason = case.find("failure") if case.find("failure") is not None else case.find("error")
        name = f"{case.get('classname')}::{case.get('name')}"
        setting.journal.line("tests", failed=name, reason=(reason.text or "")[-1200:] if reason is not None else "")
    setting.journal.line(
        "tests",
        of=part,
        run=len(cases) or said.count(" PASSED") + said.count(" FAILED"),
        skipped=sum(case.find("skipped") is not None for case in cases),
        failures=len(failed) or said.count(" FAILED"),
        exit=code,
        seconds=time.monotonic() - began,
        output=said[-300:] if cases else said[-1500:],
    )
    if code is None:
        raise TimeoutError(f"pytest was stopped after {time.monotonic() - began:.0f} s; its last lines are in `output`")
    if setting.cuda and code:
        raise RuntimeError(f"{len(failed)} tests failed, pytest ended with {code}")


def _marked() -> list[Path]:
    """Files with tests that want a GPU."""
    return sorted({path for root in _TESTS for path in Path(root).rglob("test_*.py") if _wants_cuda(path)})


def _wants_cuda(path: Path) -> bool:
    return "cuda" in path.read_text(encoding="utf-8")


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
