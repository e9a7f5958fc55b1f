"""What the source of rendered rooms takes."""

from __future__ import annotations

from bench.data.options import CAMERA, EMPTY_SHARE, SEED, SPLIT, Option

OPTIONS = (
    SEED,
    CAMERA,
    SPLIT,
    EMPTY_SHARE,
    Option("rooms", int, 400, "Rooms over all parts.", between=(3, 10_000)),
    Option("figures", int, 400, "Figures over all parts.", between=(3, 10_000)),
)
