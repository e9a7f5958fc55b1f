"""``bench robust``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Device, RecordedRun, Within
from bench.cli.options.data import DataOptions
from bench.cli.options.groups import FolderOptions

EXAMPLES = """
bench robust wnet:bce_ssim --picture robust.png
bench robust wnet:bce_ssim --metric mask_iou --samples 64 --json robust.json
bench robust wnet:bce_ssim --data composed --bg photos/ --fg cutouts/
"""


def robust(
    *,
    run: RecordedRun,
    metric: Annotated[str, typer.Option(help="Metric. Default: the metric that ranks the leaderboard.")] = "",
    samples: Annotated[int | None, typer.Option(min=1, help="Test images. Default: as in the run.")] = None,
    data: DataOptions,
    within: Within = "",
    device: Device = "auto",
    picture: Annotated[Path | None, typer.Option(help="Plot to write, PNG.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures as JSON.")] = None,
    folders: FolderOptions,
) -> None:
    """Measure how a run's scores fall as its test images are disturbed: seven kinds, five grades each.

    Shows where it falls below the baseline (difference for masks, mean_map for depth) that is fitted to undisturbed
    training samples. Name the data as for bench run.
    """
    from bench.core import files
    from bench.core.files import canonical_json
    from bench.core.machine import pick_device
    from bench.report.pictures.png import save_png
    from bench.report.pictures.robustness_plot import robustness_plot
    from bench.report.terminal.console import plain_console, show
    from bench.report.terminal.progress_bar import Bar
    from bench.report.terminal.results.robustness_table import robustness_table
    from bench.run.robust.robustness import robustness
    from bench.run.trained import trained_run

    files.check_outputs({"--picture": picture, "--json": json})
    chosen = pick_device(device)
    trained = trained_run(folders.results, folders.runs, run, chosen, within)
    console = plain_console()
    with Bar(console) as bar:
        found = robustness(trained, data.open().to(chosen), metric, samples, progress=bar)
    if json is not None:  # first: what was measured is not lost to a terminal that cannot show it
        files.replace(json, canonical_json(found.to_json()) + "\n")
    if picture is not None:
        save_png(robustness_plot(found), picture)
    show(robustness_table(found), console)
    if picture is not None:
        console.print(f"plot: {picture}", soft_wrap=True)
