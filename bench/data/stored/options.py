"""What the source of stored quartets takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.data.options import CAMERA, REQUIRED, SEED, SKIP_BAD, SPLIT, Option

PACKED = Path("runs/packed")
"""Where decoded quartets are kept."""

OPTIONS = (
    Option("root", Path, REQUIRED, "Folder or zip of quartets; repeatable.", repeatable=True),
    Option("files", str, "auto", "How files are named: auto, 000 to 004 ..., or patterns such as 'mask=m/{id}.png'."),
    Option("fit", str, "crop", "What makes pictures square: crop, pad or stretch."),
    Option("foreground", str, "white", "What is the object in masks: white, black or alpha."),
    Option("soft_masks", bool, False, "Keep grey in masks; else they are thresholded at 0.5."),
    Option(
        "mask_values", str, None, "Values of masks that mean something: 'fg=255 unknown=85,170', fg=1-254, fg=#dc143c."
    ),
    Option("depth_unit", str, "auto", "mm, kitti, tum, m, inverse, 8bit, 16bit, unit, colormap or auto."),
    Option("depth_scale", float, None, "Numbers of the depth files to a metre, instead of a unit."),
    Option("depth_range", float, None, "Least and greatest depth known, in metres; 1.0 is the greatest.", numbers=2),
    Option("colormap", str, None, "Of depth in colours: inferno, jet, magma, plasma, viridis; else it is found."),
    Option("flips", str, "none", "Mirrored objects with numbers of their own: pairs, or how much greater they are."),
    Option("plate", str, "none", "median makes backgrounds from the pictures of each scene."),
    Option("plate_every", int, 10, "Of which pictures the plate is made: every so many.", between=(1, 10_000)),
    Option("depth_model", str, None, "Predicts depth: a local Hugging Face folder, or package.module:function."),
    Option("scenes", str, "auto", "What counts as the same background: auto, file or sequence."),
    SEED,
    replace(CAMERA, default="still"),
    SPLIT,
    SKIP_BAD,
    Option("packed", Path, PACKED, "Folder in which decoded quartets are kept for later runs."),
)
