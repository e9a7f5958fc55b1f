"""What is measured, in which order, how long a part may take, and how large everything is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlannedPart:
    """One part: the module and function beside this file that measure it, and the seconds it may take at most."""

    function: str
    limit: float
    about: str


FIRST: dict[str, PlannedPart] = {
    "machine": PlannedPart(
        "machine:machine", 60, "versions, clocks, what the device does at best, what a launch costs"
    ),
    "tests": PlannedPart("machine:tests", 150, "pytest -m cuda"),
    "steps": PlannedPart("steps:steps", 110, "a step's milliseconds: enqueued, synchronised, graphed"),
    "departure": PlannedPart("steps:departures", 60, "losses: eager from eager, graphed from eager"),
    "loop": PlannedPart("runs:loop", 120, "the whole loop of bench run over a bare loop"),
    "rendering": PlannedPart("rendering:rendering", 60, "quartets a second by source and chunk"),
    "epoch": PlannedPart("runs:epoch", 240, "an epoch of wnet over 400,000 composites at 64 px"),
    "stages": PlannedPart("steps:stages", 60, "the first steps' seconds and the peak memory of each stage"),
    "standard": PlannedPart("runs:standard", 100, "a short run of protocol standard, by phase"),
    "kernels": PlannedPart(
        "kernels:kernels", 120, "which kernels a step of wnet and the rendering spend their time in"
    ),
    "profiles": PlannedPart("profiles:profiles", 100, "closure, perturbation, blocks"),
    "evaluation": PlannedPart("profiles:evaluation", 40, "a pass of evaluation by block"),
    "streamed": PlannedPart("rendering:streamed", 60, "steps on streamed samples over resident samples"),
}
SECOND: dict[str, PlannedPart] = {
    "machine": FIRST["machine"],
    "compiled": PlannedPart("steps:compiled", 240, "torch.compile: its steps, its departure, its first seconds"),
    "full": PlannedPart(
        "runs:full", 300, "protocol full's loading tiers: packed on disk, streamed, a part of each stage"
    ),
}


@dataclass(frozen=True)
class Scale:
    """How large everything is.

    Attributes:
        models: whose steps are timed.
        batches: images a step.
        size: side of the images, pixels.
        seconds: of a measurement.
        chunks: samples rendered at once.
        epoch_samples: of the epoch of wnet.
        epoch_batches: images a step there.
        short_samples: training samples of short runs.
        profile_seconds: that a profile measures.
        evaluated: images of a pass of evaluation.
    """

    models: tuple[str, ...] = ("masknet", "unet", "wnet")
    batches: tuple[int, ...] = (32, 128, 512)
    size: int = 64
    seconds: float = 1.0
    chunks: tuple[int, ...] = (64, 512, 4096, 16384)
    epoch_samples: int = 400_000
    epoch_batches: tuple[int, ...] = (128, 512)
    short_samples: int = 8192
    profile_seconds: float = 4.0
    evaluated: int = 4096


TINY = Scale(
    models=("masknet", "unet[width=4]"),
    batches=(2, 4),
    size=32,
    seconds=0.05,
    chunks=(4, 8),
    epoch_samples=32,
    epoch_batches=(8,),
    short_samples=128,
    profile_seconds=0.05,
    evaluated=16,
)
"""For a machine without a GPU: to see that nothing in the script itself is broken."""
