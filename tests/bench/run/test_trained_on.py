"""What a run was trained on lies in its folder, by names that hold in other data too."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from bench.core.errors import BadData
from bench.data.synthetic.source import Synthetic
from bench.run import trained_on
from bench.run.trained import initial_weights
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner


def shown(source: Synthetic, samples: int) -> set[str]:
    return {name for some in source.shown("train", torch.arange(samples)).values() for name in some}


def test_a_run_leaves_what_its_samples_show(tmp_path: Path) -> None:
    source = Synthetic(rooms=40, figures=40)
    made, _ = small_runner(tmp_path, source).run(small_run(source))
    assert trained_on.read(tmp_path / "runs" / made.id) == shown(source, 16)
    assert shown(source, 16) < shown(source, 400)


def test_and_what_the_weights_it_starts_from_were_trained_on(tmp_path: Path) -> None:
    first, second = Synthetic(rooms=6, figures=6), Synthetic(rooms=6, figures=6, seed=1)
    before, _ = small_runner(tmp_path, first).run(small_run(first))
    weights = initial_weights(tmp_path / "results", tmp_path / "runs", before.id)
    run = dataclasses.replace(small_run(second), init=weights).altered(init=weights.checksum)
    made, _ = small_runner(tmp_path, second).run(run)
    assert trained_on.read(tmp_path / "runs" / made.id) == shown(first, 16) | shown(second, 16)


def test_a_source_that_does_not_know_leaves_nothing(tmp_path: Path) -> None:
    made, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))
    assert not (tmp_path / "runs" / made.id / trained_on.FILE).exists()
    assert trained_on.read(tmp_path / "runs" / made.id) == frozenset()


def test_what_cannot_be_read_is_not_taken_for_nothing(tmp_path: Path) -> None:
    """An evaluation would say that nothing of its test was trained on."""
    path = tmp_path / trained_on.FILE
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadData, match=f"{trained_on.FILE}: cannot be read: no text"):
        trained_on.read(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(BadData, match="cannot be read: Is a directory"):
        trained_on.read(tmp_path)
    assert trained_on.read(tmp_path / "gone") == frozenset()
