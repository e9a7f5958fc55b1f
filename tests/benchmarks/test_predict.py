"""Prediction of a thousand pictures: reading, network and writing at once, against the slowest of them alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.profile.windows.interval import ratio_interval
from tests.benchmarks.ratios import Say

pytestmark = pytest.mark.ratio

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("model", ["unet", "resnet_unet"])
def test_predicting(benchmark, say: Say, tmp_path: Path, model: str) -> None:
    """Pictures a second, over the slowest of its three parts alone, 224 px."""
    program = [sys.executable, "-m", "tests.benchmarks.predicted_blocks", model, str(tmp_path)]
    done = benchmark.pedantic(subprocess.run, (program,), {"cwd": ROOT, "stdout": subprocess.PIPE, "check": True})
    found = json.loads(done.stdout.splitlines()[-1])
    whole, part = zip(*found["rounds"], strict=True)
    ratio = ratio_interval(part, whole)
    benchmark.extra_info.update(ratio=ratio.value, low=ratio.low, high=ratio.high, alone=found["alone"])
    alone = ", ".join(f"{name} {value:.1f}" for name, value in found["alone"].items())
    say(
        f"pictures predicted, {model}, over {found['slowest']} alone (ms: {alone}): {ratio.value:.2f} "
        f"({ratio.low:.2f} to {ratio.high:.2f}); wanted: 0.9 on two free cores"
    )
