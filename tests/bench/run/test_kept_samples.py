"""Rendered samples stay for the next run as long as there is room; then those used longest ago go first."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.data.loading.loader import RESIDENT_SHARE, Loader
from bench.data.split import Part
from bench.run import shared_loaders
from bench.run.runner import Runner
from registry.contract import Quartet
from tests.bench.rectangles import Rectangles

COUNT, BATCH = 16, 4


class Counted(Rectangles):
    """Counts the samples that it renders, but for those by whose size others are judged."""

    def __init__(self) -> None:
        super().__init__()
        self.rendered = 0

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        self.rendered += len(ids) if len(ids) > 1 else 0
        return super().scenes(part, ids, size)


@pytest.fixture
def source() -> Counted:
    return Counted()


def kept_runner(tmp_path: Path, source: Counted, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]) -> Runner:
    """On a device whose memory has room for the training samples at so many sizes, and no more."""
    made = Runner(source, torch.device("cpu"), tmp_path / "runs", tmp_path / "results")
    room = sum(COUNT * Loader.form_of(source, "train", size).bytes for size in sizes) / RESIDENT_SHARE + 1

    def free(_: torch.device) -> int:
        return int(room) - made._shared.resident_bytes

    monkeypatch.setattr(shared_loaders, "free_bytes", free)
    return made


def test_all_stages_stay_where_they_fit(tmp_path: Path, source: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept_runner(tmp_path, source, monkeypatch, (16, 24, 32))
    first = [made.loader("train", COUNT, size, BATCH) for size in (16, 24, 32)]
    assert source.rendered == 3 * COUNT
    assert [made.loader("train", COUNT, size, BATCH) for size in (16, 24, 32)] == first
    assert source.rendered == 3 * COUNT


def test_the_longest_unused_makes_room(tmp_path: Path, source: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept_runner(tmp_path, source, monkeypatch, (24, 32))
    kept, _ = made.loader("train", COUNT, 24, BATCH), made.loader("train", COUNT, 16, BATCH)
    made.loader("train", COUNT, 24, BATCH)
    made.loader("train", COUNT, 32, BATCH)
    assert source.rendered == 3 * COUNT
    assert made.loader("train", COUNT, 24, BATCH) is kept
    assert made.loader("train", COUNT, 32, BATCH).tier == "resident"
    made.loader("train", COUNT, 16, BATCH)
    assert source.rendered == 4 * COUNT


def test_samples_of_another_part_stay(tmp_path: Path, source: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept_runner(tmp_path, source, monkeypatch, (32,))
    validation = made.loader("val", COUNT, 16, BATCH)
    training = made.loader("train", COUNT, 32, BATCH)
    assert training.tier == "streamed"
    assert made.loader("val", COUNT, 16, BATCH) is validation
