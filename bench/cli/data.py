"""The options that say which data, shared by all commands that read some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.data.source import Source

Data = Annotated[str, typer.Option(help="Source: synthetic (rendered rooms) or composed (your photographs).")]
Backgrounds = Annotated[Path | None, typer.Option("--bg", help="Folder of background photographs (composed).")]
BackgroundDepth = Annotated[Path | None, typer.Option(help="Folder of their depth maps, same stems (composed).")]
Foregrounds = Annotated[Path | None, typer.Option("--fg", help="Folder of cut-outs, PNG with alpha (composed).")]
DepthUnit = Annotated[str, typer.Option(help="Depth maps are 16-bit millimetres (mm) or 8-bit.")]
Camera = Annotated[str, typer.Option(help="handheld (the two photographs differ a little) or still (as published).")]
Split = Annotated[str, typer.Option(help="group (no background or object in two parts) or random (leaks).")]
Scenes = Annotated[str, typer.Option(help="What counts as one background: auto, file or sequence (composed).")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Go on without files that cannot be used.")]
DataSeed = Annotated[int, typer.Option(help="Seed of the data itself; the same for all that is compared.")]


def open_source(
    data: str,
    bg: Path | None,
    bg_depth: Path | None,
    fg: Path | None,
    depth_unit: str,
    camera: str,
    split: str,
    scenes: str,
    skip_bad: bool,
    data_seed: int,
) -> Source:
    """The source that the options describe.

    Raises:
        BenchError: options that do not go together; BadData: files that cannot be used.
    """
    from bench.data.source import open_source as open_by_kind

    common = {"camera": camera, "split": split, "seed": data_seed}
    if data == "composed":
        if bg is None or fg is None:
            raise BenchError("--data composed needs --bg (a folder of photographs) and --fg (a folder of cut-outs)")
        files = {"bg": bg, "fg": fg, "bg_depth": bg_depth, "depth_unit": depth_unit}
        return open_by_kind(data, **files, scenes=scenes, skip_bad=skip_bad, **common)
    if bg is not None or fg is not None or bg_depth is not None:
        raise BenchError(f"--bg, --fg and --bg-depth are read by --data composed, not by --data {data}")
    return open_by_kind(data, **common)
