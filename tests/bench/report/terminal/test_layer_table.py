"""The table of ``bench show`` agrees with the published tables: as many rows, every parameter once, in blocks."""

from collections.abc import Callable

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from bench.core.errors import BenchError
from bench.report.terminal.layer_table import activation_mib, layer_table, layers
from bench.timing.work import gmacs
from registry.contract import Prediction
from registry.models import models
from tests.bench.report.terminal.drawn import drawn

PUBLISHED = {"masknet": (9, 76_097), "depthmasknet": (91, 7_083_874), "twin_unet": (70, 2_161_666)}


@pytest.mark.parametrize("key", PUBLISHED)
def test_convolutions_and_norms_are_the_published_rows(key: str) -> None:
    rows = [row for row in layers(models.build(key), 64) if row.kind in ("Conv2d", "BatchNorm2d")]
    assert (len(rows), sum(row.parameters for row in rows)) == PUBLISHED[key]
    assert all(row.block for row in rows)


def test_activations_are_those_of_the_shapes() -> None:
    rows = layers(models.build("masknet"), 64, batch=2)
    assert rows[0].shape == (2, 32, 64, 64)
    assert activation_mib(rows[:1]) == 2 * 32 * 64 * 64 * 4 / 2**20


def test_pairs_are_counted() -> None:
    drawn_of = {batch: drawn(layer_table(models.build("masknet"), "masknet", 64, batch), 100) for batch in (1, 2)}
    assert "training on 1 pair in" in drawn_of[1] and "training on 2 pairs in" in drawn_of[2]


def test_a_size_that_does_not_fit_is_named() -> None:
    with pytest.raises(BenchError, match="multiples of 32"):
        layers(models.build("depthmasknet"), 48)


class Normed(nn.Module):
    """Two convolutions whose weights are worked out anew each time; it keeps what it made of its last batch."""

    def __init__(self, norm: Callable[[nn.Module], nn.Module]) -> None:
        super().__init__()
        self.first, self.head = norm(nn.Conv2d(6, 8, 3, padding=1)), norm(nn.Conv2d(8, 2, 1))

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        self.features = [self.first(torch.cat([bg, bg_fg], 1))]
        mask, depth = self.head(self.features[0]).split(1, 1)
        return Prediction(mask, depth)


NORMS = {
    "weight_norm": nn.utils.weight_norm,
    "spectral_norm": nn.utils.spectral_norm,
    "parametrized weight_norm": nn.utils.parametrizations.weight_norm,
    "parametrized spectral_norm": nn.utils.parametrizations.spectral_norm,
}


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("norm", NORMS)
def test_weights_that_are_worked_out_are_counted(norm: str, trained: bool) -> None:
    model, images = Normed(NORMS[norm]), torch.rand(2, 3, 8, 8)
    if trained:
        prediction = model(images, images)
        (prediction.mask_logits.mean() + prediction.depth_logits.mean()).backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    rows = layers(model, 8)
    assert [row.shape for row in rows] == [(1, 8, 8, 8), (1, 2, 8, 8)]
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in model.parameters())
    assert gmacs(model, 8) == pytest.approx(8 * 8 * (6 * 8 * 9 + 8 * 2) / 1e9)
    layer_table(model, "mine:Normed", 8, 1)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert hasattr(model, "features") == trained and model.training


def test_what_was_left_out_stands_beside_the_count() -> None:
    console = Console(record=True, width=120)
    model = models.build("smp/pspnet/resnet18")
    console.print(layer_table(model, "smp/pspnet/resnet18", 64, 1))
    assert "10,493,440 parameters that smp builds and never runs are left out" in console.export_text()
