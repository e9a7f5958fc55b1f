"""``bench profile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options.data import DataOptions
from bench.cli.options.groups import MachineOptions
from bench.core.errors import BenchError

if TYPE_CHECKING:
    from pydantic import BaseModel

EXAMPLES = """
bench profile --model wnet --loss bce_ssim
bench profile --model unet --vs wnet
bench profile --model unet --vs 'unet:mask: bce'
bench profile --model unet --vs-engine compiled
bench profile --model twin_unet --trace step.json
"""


def profile(
    *,
    model: Annotated[str, typer.Option("--model", "-m", help="Model key (bench list models) or module:function.")],
    loss: Annotated[
        str, typer.Option("--loss", "-l", help="Recipe name (bench list losses) or its text.")
    ] = "bce_ssim",
    batch: Annotated[int, typer.Option(min=1, help="Images a step.")] = 32,
    size: Annotated[int, typer.Option(min=8, help="Image side, pixels.")] = 64,
    machine: MachineOptions,
    engine: Annotated[
        str, typer.Option(help="eager, compiled (torch.compile), or graphed (one CUDA graph a step).")
    ] = "eager",
    seconds: Annotated[float, typer.Option(min=0.0, help="How long to measure, after the warm-up.")] = 20.0,
    versus: Annotated[
        str | None, typer.Option("--vs", help="Compare with this MODEL or MODEL:LOSS instead, interleaved A B B A.")
    ] = None,
    versus_engine: Annotated[
        str | None, typer.Option("--vs-engine", help="Compare with this engine instead: eager, compiled, graphed.")
    ] = None,
    versus_precision: Annotated[
        str | None,
        typer.Option("--vs-precision", help="Compare with this precision: float32, bfloat16, tf32."),
    ] = None,
    versus_memory_format: Annotated[
        str | None,
        typer.Option("--vs-memory-format", help="Compare with this memory format instead: channels_last, contiguous."),
    ] = None,
    twice: Annotated[
        bool, typer.Option("--twice", help="Profile twice, interleaved, and report how many blocks agree.")
    ] = False,
    bottleneck: Annotated[
        bool, typer.Option("--bottleneck", help="Also report the bottleneck of the step, and what would gain how much.")
    ] = False,
    memory_budget: Annotated[
        float | None, typer.Option(min=1, help="Also find the largest batch that fits this many MiB.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write all measurements as JSON.")] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Write a Chrome trace of the last steps; on a GPU also set NVTX ranges.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write an HTML page with all measurements; it opens offline.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write stacked bars of the step, PNG.")] = None,
    protocol: Annotated[
        str, typer.Option(help="Protocol whose optimizer, schedule and augmentation are used.")
    ] = "quick",
    data: DataOptions,
) -> None:
    """Show where the time, the memory and the arithmetic of a training step go, and how reliable the figures are."""
    from bench.core import files
    from bench.core.files import canonical_json
    from bench.core.machine import pick_device
    from bench.core.protocol import find_protocol
    from bench.data.loading.packed_files import PackedFiles
    from bench.profile.nvtx import annotate
    from bench.profile.trace import chrome_trace
    from bench.profile.variant import Variant, runners
    from bench.profile.whole_profile import whole_profile
    from bench.profile.windows.interleaved import compare
    from bench.report.html.profile_page import profile_page
    from bench.report.pictures.bars import Stack, stacked_bars
    from bench.report.pictures.png import save_png
    from bench.report.terminal.console import plain_console, show
    from bench.report.terminal.profile_table import profile_table, step_comparison_table
    from bench.report.terminal.progress_bar import Bar
    from registry.losses import parse

    alone = {"--trace": trace, "--picture": picture, "--html": html, "--memory-budget": memory_budget}
    alone |= {"--twice": twice or None, "--bottleneck": bottleneck or None}
    given = [name for name, value in alone.items() if value is not None]
    against = (versus, versus_engine, versus_precision, versus_memory_format)
    if any(against) and given:
        raise BenchError(f"--vs compares two whole steps: profile each by itself for {', '.join(given)}")
    files.check_outputs({"--json": json, "--trace": trace, "--picture": picture, "--html": html})
    console = plain_console()
    source = data.open()
    budget = find_protocol(protocol).override(batch=batch, size=size)
    where = pick_device(machine.device)
    first = Variant(model, parse(loss), engine, machine.precision, machine.memory_format)
    other = first.against(*against)

    def keep(measured: BaseModel) -> None:
        """Write it at once: it is not lost to what follows, nor to a terminal that cannot show it."""
        if json is not None:
            files.replace(json, measured.model_dump_json(indent=1) + "\n")

    with Bar(console) as bar:
        variants = [first] if other is None else [first, other]
        runner, *others = runners(variants, source, budget, where, PackedFiles(Path("runs/packed")))
        if others:
            comparison = compare(runner, others[0], seconds, progress=bar)
            keep(comparison)
            show(step_comparison_table(comparison), console)
            return
        found, intervals = whole_profile(
            runner,
            source,
            seconds,
            twice=twice,
            bottleneck=bottleneck,
            memory_budget=memory_budget,
            progress=bar,
            keep=keep,
        )
    if trace is not None:
        files.replace(trace, canonical_json(chrome_trace(intervals, runner.label)) + "\n")
    if html is not None:
        files.replace(html, profile_page(found, intervals))
    if picture is not None:
        segments = [(block.name, block.time.median_ms) for block in found.blocks]
        save_png(stacked_bars([Stack(runner.label, segments)]), picture)
    show(profile_table(found, console.width), console)
    for part in (found.bottleneck, found.fit):
        if part is not None:
            console.print(part.sentence())
    if trace is not None and runner.device.type == "cuda":
        annotate(runner, steps=8)
