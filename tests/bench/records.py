"""Made-up records for tests of what reads them."""

from __future__ import annotations

import json

from bench.core.environment import Environment
from bench.core.protocol import find_protocol
from bench.core.record import Record, Score
from bench.core.record.timings import BlockTime, Timings
from bench.core.spec import Precision, RunSpec

ENVIRONMENT = Environment(
    device="A processor",
    processor="A processor",
    cores=2,
    threads=2,
    memory_gib=23,
    gpu_memory_gib=None,
    system="Linux x86_64",
    python="3.11.7",
    instructions="AVX512",
    cuda=None,
    packages={"torch": "2.15.0"},
)


def block(ms: float) -> BlockTime:
    return BlockTime(median_ms=ms, q1_ms=ms, q3_ms=ms, p95_ms=ms, share=0.1)


def record(
    model: str = "unet",
    recipe: str = "mask: bce, depth: 2*ssim",
    seed: int = 0,
    dice: float | None = 0.8,
    rmse: float | None = 0.05,
    outcome: str = "finished",
    started: str = "2026-01-01T00:00:00+00:00",
    data: dict | None = None,
    precision: Precision = "float32",
    **changes: object,
) -> Record:
    spec = RunSpec(
        model=model,
        recipe=recipe,
        protocol=find_protocol("quick"),
        data=data or {"kind": "synthetic", "camera": "handheld", "encoding": "metric, 1.0 = 10 m"},
        precision=precision,
        seed=seed,
    )
    timings = Timings(
        steps=64,
        seconds=20.5,
        images_per_second=100.0,
        step_ms=320.0,
        blocks={"forward": block(100.0), "loss/mask.bce": block(2.0), "loss/depth.ssim": block(3.0)},
        closure=0.99,
        perturbation=1.0,
    )
    test = {"mask_dice": Score(value=dice, images=256), "depth_rmse": Score(value=rmse, images=256)}
    values = {
        "id": spec.id,
        "cell": spec.cell,
        "spec": spec,
        "recipe_name": "bce_ssim" if recipe else "none",
        "outcome": outcome,
        "reason": None if outcome == "finished" else "the loss became NaN | at step 3",
        "started": started,
        "finished": started,
        "seconds": 60.0,
        "code": "0" * 12,
        "environment": ENVIRONMENT,
        "fingerprint": ENVIRONMENT.fingerprint,
        "parameters": 3_351_170,
        "gmacs": 0.489,
        "loading": "resident",
        "epochs": [],
        "best_epoch": 2,
        "test": test if outcome == "finished" else {},
        "timings": timings,
        "evaluation": timings,
        "peak_mib": 900.0,
        **changes,
    }
    return Record.model_validate(values)


def done_in(precision: str, memory_format: str = "channels_last", **facts: object) -> Record:
    """A record whose spec was trained in that precision and memory format."""
    made = record(**facts)
    spec = made.spec.model_copy(update={"precision": precision, "memory_format": memory_format})
    return made.model_copy(update={"spec": spec, "id": spec.id, "cell": spec.cell})


def of_format_1(made: Record) -> str:
    """A record's text as it was written before there was a format 2."""
    values = made.model_dump(mode="json")
    for later in (
        "failure", "arithmetic", "load", "peak_of", "division", "tuning", "facts", "images", "checksum", "metrics",
        "pooled_terms", "seen",
    ):  # fmt: skip
        values.pop(later, None)
    values["spec"]["layout"] = values["spec"].pop("memory_format")
    return json.dumps(values | {"format": 1})
