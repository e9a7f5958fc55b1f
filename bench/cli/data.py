"""The options that say which data, shared by all commands that read some."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.data.source import Source


@dataclass(frozen=True)
class DataOptions:
    """Which source the samples come from, and how."""

    panel: ClassVar[str] = "Data"

    data: Annotated[str, typer.Option(help="Source: synthetic (rendered rooms) or composed (your photographs).")] = (
        "synthetic"
    )
    bg: Annotated[Path | None, typer.Option("--bg", help="Folder of background photographs (composed).")] = None
    bg_depth: Annotated[Path | None, typer.Option(help="Folder of their depth maps, same stems (composed).")] = None
    fg: Annotated[Path | None, typer.Option("--fg", help="Folder of cut-outs, PNG with alpha (composed).")] = None
    depth_unit: Annotated[str, typer.Option(help="Depth maps are 16-bit millimetres (mm) or 8-bit.")] = "mm"
    camera: Annotated[
        str, typer.Option(help="handheld (the two photographs differ a little) or still (as published).")
    ] = "handheld"
    split: Annotated[
        str, typer.Option(help="unseen-both, unseen-bg, unseen-fg, shared (leaks), kfold[n=5,fold=0], or a file.json.")
    ] = "unseen-both"
    scenes: Annotated[str, typer.Option(help="What counts as one background: auto, file or sequence (composed).")] = (
        "auto"
    )
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without files that cannot be used.")] = False
    data_seed: Annotated[int, typer.Option(help="Seed of the data itself; the same for all that is compared.")] = 0

    def open(self) -> Source:
        """The source that the options describe.

        Raises:
            BenchError: options that do not go together; BadData: files that cannot be used.
        """
        from bench.data.source import open_source

        common = {"camera": self.camera, "split": self.split, "seed": self.data_seed}
        if self.data == "composed":
            if self.bg is None or self.fg is None:
                raise BenchError("--data composed needs --bg (a folder of photographs) and --fg (a folder of cut-outs)")
            paths = {"bg": self.bg, "fg": self.fg, "bg_depth": self.bg_depth, "depth_unit": self.depth_unit}
            return open_source(self.data, **paths, scenes=self.scenes, skip_bad=self.skip_bad, **common)
        if self.bg is not None or self.fg is not None or self.bg_depth is not None:
            raise BenchError(f"--bg, --fg and --bg-depth are read by --data composed, not by --data {self.data}")
        return open_source(self.data, **common)


@dataclass(frozen=True)
class StillDataOptions(DataOptions):
    """The same with the camera of the published systems."""

    camera: Annotated[
        str, typer.Option(help="still (as published) or handheld (the two photographs differ a little).")
    ] = "still"
