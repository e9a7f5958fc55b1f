"""The other test set: further samples of what training has seen; a column shows what the test loses from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core.record import Score
from bench.data.seen_groups import SeenGroups
from bench.data.synthetic.source import Synthetic
from bench.metrics import metrics
from bench.report.markdown.leaderboard import leaderboard
from bench.results.board import rows
from bench.run.runner import Runner
from bench.timing.memory import PeakMeter
from tests.bench.records import record
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner


def test_they_are_training_samples_from_an_id_on() -> None:
    source = Synthetic(camera="handheld", rooms=6, figures=6)
    seen = SeenGroups(source, 100, 64)
    ids = torch.arange(8)
    assert torch.equal(seen.render("test", ids, 32).bg_fg, source.render("train", ids + 100, 32).bg_fg)
    of_training = [set(groups.tolist()) for groups in source.groups("train", torch.arange(400))]
    for groups, known in zip(seen.groups("test", torch.arange(64)), of_training, strict=True):
        assert set(groups.tolist()) <= known
    unseen = source.groups("test", torch.arange(64))
    assert not set(unseen[0].tolist()) & of_training[0]
    assert seen.describe() != source.describe()
    assert (seen.count("test"), seen.passed_over) == (64, 0), "6 rooms and figures are all among 100 samples"


def test_samples_of_groups_that_were_not_trained_on_are_passed_over() -> None:
    source = Synthetic(rooms=40, figures=40)
    seen = SeenGroups(source, 20, 64)
    trained = source.groups("train", torch.arange(20))
    for groups, known in zip(seen.groups("test", torch.arange(64)), trained, strict=True):
        assert set(groups.tolist()) <= set(known.tolist())
    assert seen.count("test") == 64
    assert seen.passed_over > 0


class EachItsOwn(Rectangles):
    """Forty training samples, each of a background of its own."""

    def count(self, part: str) -> int | None:
        return 40

    def groups(self, part: str, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return ids, ids


def test_where_no_group_is_left_there_is_no_gap(tmp_path: Path) -> None:
    assert SeenGroups(EachItsOwn(), 16, 64).count("test") == 0
    made, _ = small_runner(tmp_path, EachItsOwn()).run(small_run(EachItsOwn()))
    assert made.seen == {}
    assert "seen" not in made.facts


def test_a_record_says_which_samples_were_seen(tmp_path: Path) -> None:
    made, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))
    assert made.facts["seen"] == {"groups": "trained on", "passed_over": 0}


class Finite(Rectangles):
    """A source with so many training samples."""

    def __init__(self, training: int) -> None:
        super().__init__()
        self.training = training

    def count(self, part: str) -> int | None:
        return self.training if part == "train" else None


@pytest.mark.parametrize(("left", "images"), [(0, 0), (3, 3), (1000, 8)])
def test_a_run_is_tested_on_both(tmp_path: Path, left: int, images: int) -> None:
    plain = small_run(Rectangles())
    protocol = plain.spec.protocol
    source = Finite(protocol.train_samples + left)
    made, _ = small_runner(tmp_path, source).run(small_run(source))
    assert made.outcome == "finished"
    if not images:
        assert made.seen == {}
        return
    assert made.seen.keys() <= made.test.keys()
    assert made.seen["mask_dice"].images == min(images, protocol.test_samples)
    assert made.seen["mask_dice"].value != made.test["mask_dice"].value


def test_samples_of_the_second_test_are_no_memory_of_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside, loaded = [0], []
    set_aside, loader = PeakMeter.set_aside, Runner.loader

    @contextmanager
    def noted(meter: PeakMeter) -> Iterator[None]:
        aside[0] += 1
        with set_aside(meter):
            yield
        aside[0] -= 1

    def watched(runner: Runner, *args: Any) -> Any:
        loaded.append((args[0], bool(args[4:]), bool(aside[0])))
        return loader(runner, *args)

    monkeypatch.setattr(PeakMeter, "set_aside", noted)
    monkeypatch.setattr(Runner, "loader", watched)
    source = Finite(1000)
    small_runner(tmp_path, source).run(small_run(source))
    assert ("test", True, True) in loaded
    assert all(within for _, _, within in loaded)


def test_what_is_tested_besides_changes_nothing(tmp_path: Path) -> None:
    both = [small_runner(tmp_path / name, source).run(small_run(source))[0] for name, source in SOURCES.items()]
    assert both[0].test == both[1].test
    assert both[0].epochs == both[1].epochs
    assert bool(both[0].seen) != bool(both[1].seen)


SOURCES = {"endless": Rectangles(), "finite": Finite(16)}


class Leaking(Rectangles):
    def __init__(self, split: str, names_objects: bool = True) -> None:
        super().__init__()
        self.split, self.names_objects = split, names_objects

    def describe(self) -> dict:
        return {**super().describe(), "split": self.split, "leaks": True}


@pytest.mark.parametrize(
    ("split", "names_objects", "tested"),
    [("random", True, False), ("unseen-bg", True, True), ("unseen-fg", True, True), ("unseen-fg", False, False)],
)
def test_where_the_test_is_seen_already_there_is_no_gap(
    tmp_path: Path, split: str, names_objects: bool, tested: bool
) -> None:
    source = Leaking(split, names_objects)
    made, _ = small_runner(tmp_path, source).run(small_run(source))
    assert bool(made.seen) == tested, "a split that shares one pool has new groups of the other"


def test_the_gap_is_a_column() -> None:
    tested = [record(seed=seed, dice=dice) for seed, dice in enumerate((0.7, 0.8))]
    plain = [(f"r{i}.json", made) for i, made in enumerate(tested)]
    assert "gap |" not in leaderboard(plain), "records that were not tested so have no column"
    with_seen = [
        (name, made.model_copy(update={"seen": {"mask_dice": Score(value=0.9, images=8)}})) for name, made in plain
    ]
    row = rows(with_seen)[0]
    facts = metrics.facts("mask_dice")
    assert row.gap("mask_dice", facts) == pytest.approx(0.15)
    assert row.gap("mask_iou", facts) is None
    page = leaderboard(with_seen)
    assert "| Dice gap |" in page
    assert "+0.1500" in page


def test_lower_is_better_turns_it_round() -> None:
    made = record(seed=0, rmse=0.3).model_copy(update={"seen": {"depth_rmse": Score(value=0.1, images=8)}})
    row = rows([("r.json", made)])[0]
    assert row.gap("depth_rmse", metrics.facts("depth_rmse")) == pytest.approx(0.2)
