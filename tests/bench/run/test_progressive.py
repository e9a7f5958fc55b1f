"""`standard` and `full` from end to end at small counts: every stage is trained, and on record."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.results import store
from bench.run.run_record import _stages
from bench.train.assemble import Run
from registry.contract import Prediction
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner

COUNTS = {"train_samples": 128, "val_samples": 4, "test_samples": 6}
"""As few as fill a batch of the first stage."""


class Pointwise(nn.Module):
    """A net that costs next to nothing at any size."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        mask, depth = self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1)
        return Prediction(mask, depth)


@pytest.mark.parametrize("name", ["standard", "full"])
def test_a_progressive_protocol_from_end_to_end(tmp_path: Path, name: str) -> None:
    source = Rectangles()
    protocol = find_protocol(name).override(**COUNTS)
    assert [(stage.size, stage.batch, stage.epochs) for stage in protocol.stages] == [
        (64, 128, 3),
        (112, 64, 2),
        (192, 32, 2),
    ]
    model = "tests.bench.run.test_progressive:Pointwise"
    spec = RunSpec(model=model, recipe="mask: bce, depth: l1", protocol=protocol, data=source.describe())
    record, path = small_runner(tmp_path, source).run(Run.of(spec))
    assert record.outcome == "finished"
    assert [epoch.size for epoch in record.epochs] == [64] * 3 + [112] * 2 + [192] * 2
    assert record.timings.steps == 3 * 1 + 2 * 2 + 2 * 4
    stages = store.read(path).facts["stages"]
    assert [(stage["size"], stage["batch"], stage["epochs"]) for stage in stages] == [
        (64, 128, 3),
        (112, 64, 2),
        (192, 32, 2),
    ]
    for stage, last in zip(stages, (3, 5, 7), strict=True):
        assert stage["val_metrics"] == record.epochs[last - 1].val_metrics
        assert stage["val_metrics"]["mask_dice"] is not None
        assert stage["val_loss"] == record.epochs[last - 1].val_loss["total"]
    assert set(record.facts["peak_mib"]) == {stage.label for stage in protocol.stages}
    assert record.test["mask_dice"].images == 6
    assert record.seen["mask_dice"].images == 6


def test_one_stage_needs_no_list(tmp_path: Path) -> None:
    run = small_run(Rectangles())
    record, _ = small_runner(tmp_path, Rectangles()).run(run)
    assert "stages" not in record.facts
    assert _stages(run.spec.protocol, record.epochs, []) == []


def test_a_stage_that_was_not_reached_is_not_listed(tmp_path: Path) -> None:
    protocol = find_protocol("standard")
    record, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))
    stages = _stages(protocol, record.epochs, [])
    assert [stage["size"] for stage in stages] == [64]
    assert stages[0]["images_per_second"] is None
