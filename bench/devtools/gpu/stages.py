"""How the stages of protocol standard begin: what their first steps take while cuDNN tries its algorithms."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.core.protocol import find_protocol
from bench.devtools.gpu.steps import runner, source
from bench.devtools.gpu.worker import Setting
from bench.timing import memory

_STEPS = 3


def stages(setting: Setting) -> None:
    """By stage of protocol standard: seconds and peaks of the first steps, each model in a process of its own.

    In a process that has met a shape before, cuDNN's trials would be over.
    """
    fresh = get_context("spawn")
    for model in setting.scale.models[-2:]:
        with ProcessPoolExecutor(1, mp_context=fresh) as process:
            process.submit(first_steps, setting, model).result()


def first_steps(setting: Setting, model: str) -> None:
    """The stages of one model in turn, as in a run; peaks are without what the source and the samples hold."""
    data = source(setting)
    for stage in find_protocol("standard").stages:
        batch, size = (stage.batch, stage.size) if setting.cuda else (2, 32)
        meter = memory.PeakMeter(setting.device)
        with runner(setting, model, batch, size, data=data) as step:
            held, seconds = step.loader.resident_bytes / 2**20, []
            for number in range(_STEPS):
                meter.begin_part()
                setting.synchronise()
                began = time.perf_counter()
                step.step(*next(step.batches))
                setting.synchronise()
                seconds.append(time.perf_counter() - began)
                meter.end_stage(str(number))
            setting.journal.line(
                "stages",
                model=model,
                size=size,
                batch=batch,
                step_seconds=seconds,
                peak_mib=[max(0.0, mib - held) for mib in meter.stages.values()],
                samples_mib=held,
            )
