"""Where the quartets come from: rendered by chunk, kept, streamed."""

from __future__ import annotations

import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

from bench.data.kernels import available
from bench.data.loading.loader import Loader
from bench.data.loading.packed import pack
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.data.sources import open_source
from bench.devtools.gpu.steps import run_of, source
from bench.devtools.gpu.worker import Setting
from bench.profile.training import StepRunner
from bench.profile.windows.interval import ratio_interval
from bench.profile.windows.rounds import rounds
from bench.timing.summary import block_times

_PHOTOGRAPHS, _SIDE = 24, 256
_AT_LEAST = 2
WITHOUT = ", without kernels"
"""Of rendering: as torch does it, operation by operation."""


def photographs(folder: Path) -> dict[str, Path]:
    """Generated photographs, depth maps and cut-outs: smooth colours, slopes, and discs."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[0 : 1 : _SIDE * 1j, 0 : 1 : _SIDE * 1j]
    for name in ("bg", "depth", "fg"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for i in range(_PHOTOGRAPHS):
        waves = random.uniform(1, 9, (3, 2))
        colours = np.stack([np.sin(a * down + b * across) for a, b in waves], -1) * 100 + 128
        grain = random.normal(0, 12, colours.shape)
        Image.fromarray((colours + grain).clip(0, 255).astype(np.uint8)).save(folder / "bg" / f"room{chr(97 + i)}.png")
        slope = 1000 + 4000 * (random.uniform() * down + random.uniform() * across)
        Image.fromarray(slope.astype(np.uint16)).save(folder / "depth" / f"room{chr(97 + i)}.png")
        disc = ((down - 0.5) ** 2 * random.uniform(1, 3) + (across - 0.5) ** 2 < 0.16) * 255.0
        cut = np.concatenate([(colours[::-1] + grain).clip(0, 255), disc[..., None]], -1).astype(np.uint8)
        Image.fromarray(cut).save(folder / "fg" / f"thing{chr(97 + i)}.png")
    return {"bg": folder / "bg", "bg_depth": folder / "depth", "fg": folder / "fg"}


def composed(setting: Setting, camera: str = "handheld") -> Source:
    """Cut-outs on photographs, all generated here."""
    files = photographs(setting.scratch / "photographs")
    return open_source("composed", camera=camera, **files).to(setting.device)


def rendering(setting: Setting) -> None:
    """Quartets a second, packed as a loader packs them, by source, camera and chunk; then a whole loader's.

    The larger chunks of the handheld cameras also as torch renders them, operation by operation.
    """
    sources = {
        "composed, handheld": composed(setting),
        "synthetic, handheld": open_source("synthetic", camera="handheld").to(setting.device),
        "composed, still": composed(setting, "still"),
        "synthetic, still": source(setting),
    }
    for name, data in sources.items():
        for chunk in setting.scale.chunks:
            setting.journal.line("rendering", source=name, chunk=chunk, **_rate(setting, data, chunk))
    for name in list(sources)[:2]:
        with patch.object(available, "compiles", lambda device, kernel="": False):
            for chunk in setting.scale.chunks[-2:]:
                rates = _rate(setting, sources[name], chunk)
                setting.journal.line("rendering", source=f"{name}{WITHOUT}", chunk=chunk, **rates)
    for name in list(sources)[:2]:
        count = setting.scale.chunks[-1] * 2
        setting.synchronise()
        began = time.perf_counter()
        Loader(sources[name], "train", count, setting.scale.size, 8, 2**40)
        setting.synchronise()
        rate = count / (time.perf_counter() - began)
        setting.journal.line("rendering", source=name, loader=count, quartets_a_second=rate)


def _rate(setting: Setting, data: Source, chunk: int) -> dict[str, float]:
    def work(first: int) -> None:
        ids = torch.arange(first, first + chunk, device=setting.device)
        with torch.no_grad():
            pack(data.render("train", ids, setting.scale.size))

    work(0)
    setting.synchronise()
    began, done, enqueued = time.perf_counter(), 0, 0.0
    while done < _AT_LEAST or time.perf_counter() - began < setting.scale.seconds / 2:
        at = time.perf_counter()
        work(chunk * (done + 1))
        enqueued += time.perf_counter() - at
        done += 1
        setting.synchronise()
    spent = time.perf_counter() - began
    return {
        "quartets_a_second": chunk * done / spent,
        "ms": 1e3 * spent / done,
        "enqueue_ms": 1e3 * enqueued / done,
    }


def streamed(setting: Setting) -> None:
    """A step on samples of a packed file over the same on resident samples, in turn; and the share spent on waiting."""
    data, scale = source(setting), setting.scale
    batch = scale.batches[1]
    files = PackedFiles(setting.scratch / "packed")
    began = time.perf_counter()
    loader = Loader(data, "train", scale.short_samples, scale.size, batch, 0, packed_files=files)
    packing = time.perf_counter() - began
    run = run_of(setting, scale.models[1], batch, scale.size, data, None)
    engine = "graphed" if setting.cuda else "eager"
    step = StepRunner(run, data, setting.device, batches=scale.short_samples // batch, engine=engine, resident=True)  # type: ignore[arg-type]
    step.ledger.seconds = scale.seconds / 4
    stream = ((epoch, ready) for epoch in range(1, 10**6) for ready in loader.epoch(0, epoch))
    step.first_steps()
    step.window(batches=stream)
    pairs = rounds(lambda: step.window(batches=stream), step.window, 4 * scale.seconds)
    ratio = ratio_interval([a for a, _ in pairs], [b for _, b in pairs])
    step.window(instrumented=True, batches=stream)
    times, _ = block_times([step.ledger.windows[-1]])
    setting.journal.line(
        "streamed",
        tier=loader.tier,
        engine=engine,
        over_resident=ratio.model_dump(),
        data_wait=times["data_wait"].share,
        h2d=times["h2d"].share,
        copy_ms=sorted(step.copies_ms)[len(step.copies_ms) // 2] if step.copies_ms else None,
        packing_seconds=packing,
        samples=scale.short_samples,
    )
    served = 0
    setting.synchronise()
    began = time.perf_counter()
    for epoch in range(2):
        served += sum(len(ready.arrive()) for ready in loader.epoch(1, epoch))
    setting.synchronise()
    setting.journal.line("streamed", served_a_second=served / (time.perf_counter() - began))
