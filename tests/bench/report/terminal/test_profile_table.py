"""Tables of profiles: names stay as they are, brackets too; what measuring costs by both clocks; what binds."""

import io

import pytest
import torch
from rich.console import Console

from bench.core.protocol import find_protocol
from bench.profile.profile import Profile, profile
from bench.profile.training import StepRunner
from bench.profile.windows.interleaved import StepComparison
from bench.profile.windows.interval import Interval
from bench.report.terminal.profile_table import profile_table, step_comparison_table, verdict
from bench.train.assemble import make_run
from tests.bench.rectangles import Rectangles


def shown(table: object) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def found() -> Profile:
    protocol = find_protocol("quick").override(batch=2, size=16)
    run = make_run("unet[width=4]", "bce_ssim", protocol, Rectangles().describe())
    return profile(StepRunner(run, Rectangles(), torch.device("cpu")), 0.0, restarts=1)[0]


def test_two_models_that_differ_in_brackets_have_two_names() -> None:
    unit = Interval(value=1.0, low=0.9, high=1.1)
    comparison = StepComparison(
        a="unet[width=4], bce",
        b="unet[width=8], bce [red]",
        a_ms=unit,
        b_ms=unit,
        a_compile_seconds=None,
        b_compile_seconds=None,
        ratio=unit,
        answer="same",
        rounds=1,
    )
    text = shown(step_comparison_table(comparison))
    assert "unet[width=4], bce " in text and "unet[width=8], bce [red]" in text


def test_blocks_whose_names_look_like_markup(found: Profile) -> None:
    blocks = (found.blocks[0].model_copy(update={"name": "forward/[bold]"}), *found.blocks[1:])
    text = shown(profile_table(found.model_copy(update={"blocks": blocks}), 160))
    assert "forward/[bold]" in text and "unet[width=4]" in text


def test_on_a_processor_both_clocks_are_shown(found: Profile) -> None:
    off = Interval(value=1.031, low=1.0, high=1.2)
    text = verdict(found.model_copy(update={"wall_perturbation": off}))
    assert "of processor time, +3.10% (+0.00% to +20.00%) by the wall clock" in text


def test_a_waiting_device_is_told(found: Profile) -> None:
    assert "host-bound" not in verdict(found)
    assert "host-bound: blocks are launch times" in verdict(found.model_copy(update={"host_bound": True}))


def test_on_a_gpu_it_says_which_float32(found: Profile) -> None:
    spec = found.spec.model_copy(update={"precision": "float32"})
    here = found.environment.model_copy(update={"cuda": "13.0", "driver": "580"})
    text = shown(profile_table(found.model_copy(update={"spec": spec, "environment": here}), 160))
    assert "IEEE float32" in text
