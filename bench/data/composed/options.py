"""What the source of pasted cut-outs takes."""

from __future__ import annotations

from pathlib import Path

from bench.data.options import CAMERA, EMPTY_SHARE, REQUIRED, SEED, SKIP_BAD, SPLIT, Option

OPTIONS = (
    Option("bg", Path, REQUIRED, "Folder of background photographs."),
    Option("fg", Path, REQUIRED, "Folder of cut-outs, pictures with alpha."),
    Option("bg_depth", Path, None, "Folder of the photographs' depth maps, of the same names."),
    Option(
        "depth_unit",
        str,
        "mm",
        "mm, kitti (1/256 m), tum (1/5000 m), m (floats), 8bit, 16bit, unit.",
    ),
    SEED,
    CAMERA,
    SPLIT,
    EMPTY_SHARE,
    Option("scenes", str, "auto", "What counts as the same background: auto, file or sequence."),
    Option("objects", str, "auto", "What counts as the same object: auto, file or sequence (chair_00 and chair_01)."),
    Option("resolution", int, 256, "Side to which photographs are decoded.", between=(8, 4096)),
    SKIP_BAD,
)
