"""Training that starts from another run's weights: what fits is taken, the rest is named, the cell knows of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.core.errors import BenchError
from bench.train.assemble import build_model, make_run
from bench.train.checkpoints import checkpoint
from bench.train.initial_weights import InitialWeights
from registry.losses import parse
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.train.runs import CPU, run, spec


def saved(path: Path, key: str, seed: int = 7) -> InitialWeights:
    torch.manual_seed(seed)
    checkpoint.save(path, {"model": models.build(key).state_dict()})
    return InitialWeights(path, "0123456789ab", "a run")


def test_the_same_model_takes_all(tmp_path: Path) -> None:
    weights = saved(tmp_path / "best.pt", "unet[width=4]")
    model = models.build("unet[width=4]")
    loaded = weights.give(model)
    assert (loaded.missing, loaded.unused, loaded.reshaped) == ((), (), ())
    assert loaded.taken == len(model.state_dict())
    assert all(torch.equal(value, weights.weights[name]) for name, value in model.state_dict().items())


def test_other_heads_are_named_and_stay_random(tmp_path: Path) -> None:
    """One task first, then both."""
    weights = saved(tmp_path / "best.pt", "unet_mask")
    model = models.build("wnet")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loaded = weights.give(model)
    assert loaded.taken > 0
    assert any("depth" in name for name in loaded.missing)
    assert all(torch.equal(before[name], model.state_dict()[name]) for name in (*loaded.missing, *loaded.reshaped))
    assert f"{loaded.taken} of " in loaded.sentence()
    assert loaded.missing[0] in loaded.sentence()


def test_another_width_has_other_shapes_and_nothing_fits(tmp_path: Path) -> None:
    weights = saved(tmp_path / "best.pt", "unet[width=4]")
    with pytest.raises(BenchError, match="no weight of it fits"):
        weights.give(models.build("masknet"))


def test_a_refusal_does_not_speak_of_what_is_taken(tmp_path: Path) -> None:
    weights = saved(tmp_path / "best.pt", "unet[width=4]")
    with pytest.raises(BenchError, match=r"no weight of it fits a layer of this model.*of another shape: ") as caught:
        weights.compare(models.build("unet[width=8]"))
    assert "taken" not in str(caught.value)
    assert "worth nothing alone" in str(caught.value)


def test_a_cell_is_known_by_its_weights(tmp_path: Path) -> None:
    first, same, other = (
        saved(tmp_path / f"{name}.pt", "unet[width=4]", seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first.checksum == same.checksum != other.checksum
    source = Rectangles()
    protocol = spec(source).protocol
    runs = [make_run("unet[width=4]", "bce", protocol, source.describe(), init=init) for init in (None, first, other)]
    assert len({made.spec.cell for made in runs}) == 3
    assert runs[0].spec.id == make_run("unet[width=4]", "bce", protocol, source.describe()).spec.id
    assert "init" in runs[1].spec.precision_label
    baseline = make_run("constant", None, protocol, source.describe(), init=first)
    assert baseline.spec.init == ""


def test_training_starts_there_and_the_record_says_so(tmp_path: Path) -> None:
    source = Rectangles()
    first = run(spec(source, recipe="mask: bce"), source, tmp_path / "first")
    weights = InitialWeights(tmp_path / "first/best.pt", "0123456789ab", "the first run")
    protocol = spec(source, epochs=1).protocol
    started = make_run("unet[width=4]", "bce", protocol, source.describe(), init=weights)
    result = run(started, source, tmp_path / "second")
    assert result.facts["init"]["run"] == "0123456789ab"
    assert result.facts["init"]["checksum"] == weights.checksum
    assert result.facts["init"]["missing"] == []
    anew = run(make_run("unet[width=4]", "bce", protocol, source.describe()), source, tmp_path / "anew")
    assert result.history[0].train_loss["mask"] < anew.history[0].train_loss["mask"]
    assert first.best_epoch is not None
    lacking = started.altered(seed=1)
    assert lacking.init is weights
    with pytest.raises(BenchError, match="not given"):
        run(started.spec, source, tmp_path / "third")


def test_without_its_file_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="its weights"):
        InitialWeights(tmp_path / "none/best.pt", "0123456789ab", "a run").weights  # noqa: B018


def test_weights_of_a_normalised_run_bring_no_statistics(tmp_path: Path) -> None:
    source = Rectangles()
    run(spec(source, normalize="imagenet"), source, tmp_path / "first")
    weights = InitialWeights(tmp_path / "first/best.pt", "0123456789ab", "a run")
    assert not any(name.startswith("input_") for name in weights.weights)
    model = build_model(spec(source, normalize="data"), CPU)
    assert weights.give(model).missing == ()
    assert parse("bce").heads
