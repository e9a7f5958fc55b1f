"""Normalisation of a network's inputs: the right figures, once, with the weights, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.core.errors import BenchError
from bench.core.protocol import LATER, find_protocol
from bench.train.assemble import build_model
from bench.train.normalization import IMAGENET, MEAN, STD, normalize_inputs, normalizes_itself, statistics
from registry.contract import Prediction, Quartet
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.train.runs import CPU, StopAfter, run, same, spec

KEY = "unet[width=4]"


def images(count: int = 6, seed: int = 0) -> Quartet:
    drawn = torch.Generator().manual_seed(seed)
    return Quartet(torch.rand(count, 3, 32, 32, generator=drawn) ** 2, torch.rand(count, 3, 32, 32, generator=drawn))


def test_statistics_are_those_of_all_pixels() -> None:
    parts = [images(3, 1), images(5, 2)]
    mean, std = statistics(parts)
    for row, name in enumerate(("bg", "bg_fg")):
        pixels = torch.cat([getattr(part, name) for part in parts]).double().transpose(0, 1).flatten(1)
        assert torch.allclose(mean[row], pixels.mean(1))
        assert torch.allclose(std[row], pixels.std(1, correction=0))


def test_a_withheld_background_stays_zero() -> None:
    mean, std = statistics([replace(images(), bg=None)])
    assert mean[0].tolist() == [0, 0, 0]
    assert std[0].tolist() == [1, 1, 1]
    seen: list[torch.Tensor] = []
    model = normalize_inputs(models.build(KEY), "imagenet", "image")
    model.register_forward_pre_hook(lambda module, given: seen.extend(given))
    model.eval()(*replace(images(), bg=None).inputs)
    assert seen[0].abs().max() == 0
    assert seen[1].std() > 1


@pytest.mark.parametrize("normalization", ["data", "imagenet"])
def test_the_network_sees_what_was_normalised_by_hand(normalization: str) -> None:
    quartet = images()
    plain = models.build(KEY).eval()
    model = models.build(KEY)
    model.load_state_dict(plain.state_dict())
    normalize_inputs(model.eval(), normalization, "pair")
    mean, std = (torch.tensor(values).expand(2, 3) for values in IMAGENET)
    if normalization == "data":
        mean, std = (values.float() for values in statistics([quartet]))
        model.get_buffer(MEAN).copy_(mean)
        model.get_buffer(STD).copy_(std)
    by_hand = [(image - mean[row, :, None, None]) / std[row, :, None, None] for row, image in enumerate(quartet.inputs)]
    with torch.no_grad():
        ours, expected = model(*quartet.inputs), plain(*by_hand)
    assert torch.allclose(ours.mask_logits, expected.mask_logits, atol=1e-6)
    assert torch.allclose(ours.depth_logits, expected.depth_logits, atol=1e-6)


def test_pretrained_encoders_keep_their_own() -> None:
    class Own(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.normalise = torch.nn.BatchNorm2d(6)

        def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
            return Prediction(self.normalise(torch.cat([bg, bg_fg], 1))[:, :1])

    own = Own()
    assert normalizes_itself(own)
    normalize_inputs(own, "imagenet", "pair")
    assert not hasattr(own, MEAN)
    assert not normalizes_itself(models.build("smp/unet/resnet18")), "random weights have no own normalisation"


def test_a_run_has_it_in_weights_and_record_and_goes_on_with_it(tmp_path: Path, monkeypatch) -> None:
    from bench.train.checkpoints import training_state

    monkeypatch.setattr(training_state, "EVERY", 0.0)
    source = Rectangles()
    normalized = spec(source, normalize="data")
    whole = run(normalized, source, tmp_path / "a")
    state = torch.load(tmp_path / "a/best.pt", weights_only=True)["model"]
    expected = statistics([source.render("train", torch.arange(48), 32)])
    assert torch.allclose(state[MEAN].double(), expected[0], atol=2e-3)
    assert torch.allclose(state[STD].double(), expected[1], atol=2e-3)
    facts = whole.facts["normalization"]
    assert facts["by"] == "data"
    assert torch.allclose(torch.tensor(facts["mean"]), state[MEAN], atol=1e-4)
    with pytest.raises(KeyboardInterrupt):
        run(normalized, source, tmp_path / "b", StopAfter(1))
    assert same(whole, run(normalized, source, tmp_path / "b"))
    model = build_model(normalized, CPU)
    model.load_state_dict(state)
    quartet = source.render("test", torch.arange(4), 32)
    with torch.no_grad():
        again, tested = model.eval()(*quartet.inputs), whole.model.eval()(*quartet.inputs)
    assert torch.equal(again.mask_logits, tested.mask_logits)


def test_old_names_stay_and_others_are_new() -> None:
    quick = find_protocol("quick")
    assert not LATER.keys() & quick.model_dump().keys()
    changed = quick.override(train_samples=64)
    labels = {
        changed.label,
        changed.override(normalize="data").label,
        changed.override(normalize="imagenet").label,
        changed.override(patience=2).label,
    }
    assert len(labels) == 4
    assert quick.override(normalize="none", patience=0) is quick
    assert spec(Rectangles()).cell != spec(Rectangles(), normalize="data").cell
    assert 'normalize = "data"' in quick.override(normalize="data").toml()
    with pytest.raises(BenchError, match="normalize"):
        quick.override(normalize="images")
