"""Normalisation and first weights, from a command's options to records and to what trained runs are used for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.core.errors import BadData, BenchError
from bench.core.protocol import find_protocol
from bench.results import store
from bench.run.experiment import Experiment
from bench.run.trained import initial_weights, trained_run
from bench.train.events import Listener
from bench.train.normalization import MEAN, statistics
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import CPU, SMALL, small_run, small_runner


class Notices(Listener):
    def __init__(self) -> None:
        self.words: list[str] = []

    def notice(self, words: str) -> None:
        self.words.append(words)


def experiment(folder: Path, **options) -> Experiment:
    given = {
        "models": ["unet[width=4]"],
        "loss": "mask: bce, depth: l1",
        "protocol": find_protocol("quick").override(**SMALL),
        "seeds": [0],
        "source": Rectangles(),
        "precision": "float32",
        "device": "cpu",
        "results": folder / "results",
        "runs": folder / "runs",
        "baselines": False,
        **options,
    }
    return Experiment(**given)


def made(some: Experiment, listener: Listener | None = None):
    return [record for record, _, _ in some.run(listener or Listener(), lambda words: None)]


def test_a_run_is_used_with_the_normalisation_that_it_was_trained_with(tmp_path: Path) -> None:
    source = Rectangles()
    record, path = small_runner(tmp_path, source).run(small_run(source, normalize="data"))
    expected, _ = statistics([source.render("train", torch.arange(16), 32)])
    assert record.facts["normalization"]["by"] == "data"
    assert torch.allclose(torch.tensor(record.facts["normalization"]["mean"]).double(), expected, atol=2e-3)
    assert store.read(path).facts == record.facts
    run = trained_run(tmp_path / "results", tmp_path / "runs", record.id, CPU)
    assert torch.allclose(run.model.get_buffer(MEAN).double(), expected, atol=2e-3)
    quartet = source.render("test", torch.arange(4), 32)
    before = run.predict(quartet).mask_logits
    run.model.get_buffer(MEAN).add_(1)
    assert not torch.allclose(run.predict(quartet).mask_logits, before)


def test_baselines_see_images_as_they_are(tmp_path: Path) -> None:
    source = Rectangles()
    scores = []
    for normalize in ("none", "data"):
        run = small_run(source, model="difference", recipe="", normalize=normalize)
        scores.append(small_runner(tmp_path / normalize, source).run(run)[0].test)
    assert scores[0] == scores[1]


def test_an_experiment_starts_from_a_recorded_run(tmp_path: Path) -> None:
    """One task first, then both."""
    (first,) = made(experiment(tmp_path, loss="mask: bce"))
    notices = Notices()
    (second,) = made(experiment(tmp_path, init=first.id), notices)
    (plain,) = made(experiment(tmp_path))
    assert second.spec.init == initial_weights(tmp_path / "results", tmp_path / "runs", first.id).checksum
    assert len({first.cell, second.cell, plain.cell}) == 3
    assert second.facts["init"]["run"] == first.id
    assert second.facts["init"]["taken"] > 0
    assert any(f"starts from unet[width=4]:mask: bce, seed 0 ({first.id})" in words for words in notices.words)
    assert second.epochs[0].train_loss != plain.epochs[0].train_loss
    (again,) = made(experiment(tmp_path, init=first.id))
    assert again.id == second.id
    assert again.finished == second.finished, "the record that there is is taken"


def test_what_is_no_run_is_refused_at_once(tmp_path: Path) -> None:
    (first,) = made(experiment(tmp_path))
    with pytest.raises(BenchError, match="no finished run"):
        experiment(tmp_path, init="0123456789ab")
    (tmp_path / "runs" / first.id / "best.pt").unlink()
    with pytest.raises(BenchError, match="holds no weights"):
        experiment(tmp_path, init=first.id)


def test_weights_that_fit_nowhere_are_refused_at_once(tmp_path: Path) -> None:
    (first,) = made(experiment(tmp_path))
    with pytest.raises(BenchError, match="no weight of it fits"):
        experiment(tmp_path, models=["masknet"], loss="mask: bce", init=first.id)


def test_of_several_boards_a_way_is_named_that_the_command_has(tmp_path: Path) -> None:
    made(experiment(tmp_path))
    made(experiment(tmp_path, protocol=find_protocol("quick").override(**SMALL, normalize="data")))
    with pytest.raises(
        BenchError, match=r"unet\[width=4\] fits several cells: name a record's file or a run's id"
    ) as caught:
        initial_weights(tmp_path / "results", tmp_path / "runs", "unet[width=4]")
    assert "--within" not in str(caught.value)


@pytest.mark.parametrize("damage", [b"nothing", None])
def test_damaged_weights_are_to_be_made_once_more(tmp_path: Path, damage: bytes | None) -> None:
    (first,) = made(experiment(tmp_path))
    path = tmp_path / "runs" / first.id / "best.pt"
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    places = tmp_path / "results", tmp_path / "runs"
    for ask in (lambda: experiment(tmp_path, init=first.id), lambda: trained_run(*places, first.id, CPU)):
        with pytest.raises(BadData, match=r"train it once more \(bench run \.\.\. --again\)") as caught:
            ask()
        assert "--fresh" not in str(caught.value)
        assert "remove it" not in str(caught.value)


def test_another_normalisation_than_that_of_the_weights_is_said(tmp_path: Path) -> None:
    normalized = find_protocol("quick").override(**SMALL, normalize="data")
    (first,) = made(experiment(tmp_path, protocol=normalized, loss="mask: bce"))
    said = []
    for protocol in (None, normalized):
        notices = Notices()
        made(experiment(tmp_path, init=first.id, **({"protocol": protocol} if protocol else {})), notices)
        said.append([words for words in notices.words if "--normalize" in words])
    assert "was trained with --normalize data, and this run has --normalize none" in said[0][0]
    assert said[1] == []
