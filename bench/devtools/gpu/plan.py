"""What is measured, by which command, in which order, how long a part may take, and how large everything is."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 540.0
"""Seconds that a command may take; a part's limit is of its own, and those of a command sum to no more than this."""
RESERVE = 5.0
"""Of these, the seconds that are kept for writing."""


@dataclass(frozen=True)
class PlannedPart:
    """One part: the module and function beside this file that measure it, and the seconds it may take at most.

    A new process's start counts to the part that it begins with.
    """

    function: str
    limit: float
    about: str


FIRST: dict[str, PlannedPart] = {
    "machine": PlannedPart(
        "machine:machine", 20, "versions, clocks, what the device does at best, what a launch costs"
    ),
    "tests": PlannedPart("marked_tests:tests", 105, "pytest -m cuda"),
    "loop": PlannedPart("runs:loop", 75, "the whole loop of bench run over a bare loop, graphed"),
    "steps": PlannedPart("steps:steps", 90, "a step's milliseconds: enqueued, synchronised, graphed"),
    "profiles": PlannedPart("profiles:profiles", 48, "closure, perturbation, blocks"),
    "standard": PlannedPart("runs:standard", 60, "a short run of protocol standard, by phase"),
    "departure": PlannedPart("steps:departures", 42, "losses: eager from eager, graphed from eager"),
    "rendering": PlannedPart("rendering:rendering", 28, "quartets a second by source and chunk"),
    "stages": PlannedPart("stages:stages", 42, "the first steps' seconds and the peak memory of each stage"),
    "streamed": PlannedPart("rendering:streamed", 15, "steps on streamed samples over resident samples"),
    "evaluation": PlannedPart("profiles:evaluation", 10, "a pass of evaluation by block"),
}
SECOND: dict[str, PlannedPart] = {
    "machine": FIRST["machine"],
    "compiled": PlannedPart("steps:compiled", 190, "torch.compile: its steps, its departure, its first seconds"),
    "epoch": PlannedPart("runs:epoch", 130, "an epoch of wnet over 400,000 composites at 64 px, by engine"),
    "full": PlannedPart(
        "runs:full", 135, "protocol full's loading tiers: packed on disk, streamed, a part of each stage"
    ),
    "kernels": PlannedPart("kernels:kernels", 55, "which kernels a step of wnet and the rendering spend their time in"),
}
COMMANDS = {"first": FIRST, "second": SECOND}
"""Each is one go of less than ten minutes, the most valuable part first."""


def parts() -> dict[str, PlannedPart]:
    """All parts of all commands."""
    return {name: part for command in COMMANDS.values() for name, part in command.items()}


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
    profile_seconds: float = 3.0
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
