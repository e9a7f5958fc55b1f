"""Which kernels the device spends its time in, by torch's profiler: of a captured step, and of rendering."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.autograd import DeviceType  # type: ignore[attr-defined]
from torch.profiler import ProfilerActivity, profile

from bench.data.loading.packed import pack
from bench.data.source import Source
from bench.data.sources import open_source
from bench.devtools.gpu.rendering import composed
from bench.devtools.gpu.steps import runner
from bench.devtools.gpu.worker import Setting
from bench.train.engines.engine import FIRST_STEPS

_BATCH, _STEPS = 128, 10
_KEPT, _LONGEST = 20, 120


def kernels(setting: Setting) -> None:
    """The kernels of steps of the largest model and of rendering a chunk, those first that take longest."""
    model = setting.scale.models[-1]
    batch = _BATCH if setting.cuda else setting.scale.batches[0]
    with runner(setting, model, batch, engine="graphed" if setting.cuda else "eager") as step:
        step.losses(FIRST_STEPS["graphed"] + 2)
        _line(setting, f"a step of {model}, batch {batch}", _STEPS, lambda: step.step(*next(step.batches)))
    sources = {"composed": composed(setting), "synthetic": open_source("synthetic").to(setting.device)}
    for name, source in sources.items():
        chunk = setting.scale.chunks[-1]
        _line(setting, f"{chunk:,} quartets, {name}, handheld", 1, lambda: _render(setting, source, chunk))  # noqa: B023


def _render(setting: Setting, source: Source, count: int) -> None:
    with torch.no_grad():
        pack(source.render("train", torch.arange(count, device=setting.device), setting.scale.size))


def _line(setting: Setting, what: str, times: int, work: Callable[[], object]) -> None:
    """Wall-clock and device milliseconds a time, and the kernels: name, number, milliseconds a time."""
    work()
    setting.synchronise()
    began = time.perf_counter()
    with profile(activities=[ProfilerActivity.CUDA if setting.cuda else ProfilerActivity.CPU]) as profiler:
        for _ in range(times):
            work()
        setting.synchronise()
    wall = time.perf_counter() - began
    kind = DeviceType.CUDA if setting.cuda else DeviceType.CPU
    found: dict[str, tuple[int, float]] = {}
    for event in profiler.events() or ():
        if event.device_type == kind:
            microseconds = event.device_time if setting.cuda else event.cpu_time
            count, before = found.get(event.name, (0, 0.0))
            found[event.name] = count + 1, before + microseconds
    longest = sorted(found.items(), key=lambda row: -row[1][1])[:_KEPT]
    setting.journal.line(
        "kernels",
        of=what,
        wall_ms=1e3 * wall / times,
        device_ms=sum(spent for _, spent in found.values()) / 1e3 / times,
        number=sum(count for count, _ in found.values()) / times,
        longest=[[name[:_LONGEST], count / times, spent / 1e3 / times] for name, (count, spent) in longest],
    )
