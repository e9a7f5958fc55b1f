"""Task gradients: equal to plain autograd's, on the trunk both heads share, and without any trace in the training."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import bench.train.loop
from bench.train import task_gradients
from bench.train.task_gradients import IMAGES, TaskGradients
from registry.contract import Prediction, Quartet
from registry.losses import parse
from registry.losses.objective import Objective
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.train.runs import run, same, spec

PLAIN = torch.autocast("cpu", torch.bfloat16, enabled=False)


class TwoHeads(nn.Module):
    """A trunk and a convolution for each head; neither batch norm nor dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Conv2d(6, 5, 3, padding=1)
        self.mask, self.depth = nn.Conv2d(5, 1, 1), nn.Conv2d(5, 1, 1)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        x = torch.tanh(self.trunk(torch.cat([bg, bg_fg], 1)))
        return Prediction(self.mask(x), self.depth(x))


def batch(count: int = IMAGES) -> Quartet:
    return Rectangles().render("train", torch.arange(count), 16)


def trunk_gradients(model: TwoHeads, quartet: Quartet, recipe: str) -> Tensor:
    """By backward and nothing else."""
    model.zero_grad()
    Objective(parse(recipe))(model(quartet.bg, quartet.bg_fg), quartet).total.backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.trunk.parameters()])


@pytest.mark.parametrize("depth", ["0.5*l1", "0.5*l1 + 3*l2 + 0.1*silog"])
@pytest.mark.parametrize("mask", ["bce", "bce + 2*dice"])
def test_figures_are_those_of_plain_backward_passes(mask: str, depth: str) -> None:
    torch.manual_seed(0)
    model, quartet = TwoHeads(), batch()
    parts = {"mask": mask, "depth": depth}
    expected = {head: trunk_gradients(model, quartet, f"{head}: {terms}") for head, terms in parts.items()}
    for head, terms in parts.items():
        for term in terms.split(" + "):
            name = f"{head}.{term.rpartition('*')[2]}"
            expected[name] = trunk_gradients(model, quartet, f"{head}: {term}")
    cosine = torch.cosine_similarity(expected["mask"], expected["depth"], dim=0).item()
    before = [parameter.grad for parameter in model.parameters()]
    gradients = TaskGradients(
        model, Objective(parse(f"mask: {mask}, depth: {depth}")), ("mask", "depth"), PLAIN, steps=1
    )
    gradients(0, quartet)
    figures = gradients.means()
    assert figures.pop("cosine") == pytest.approx(cosine, abs=1e-5)
    assert figures == pytest.approx({name: one.norm().item() for name, one in expected.items()}, rel=1e-4)
    assert gradients.means() is None
    assert all(one.grad is grad for one, grad in zip(model.parameters(), before, strict=True))
    trunk_gradients(model, quartet, "mask: bce")  # no hook is left that would take gradients away


class Added(nn.Module):
    """Its map reaches the trunk's sum through views alone, so that autograd hands one gradient to several."""

    def __init__(self) -> None:
        super().__init__()
        self.map, self.other = nn.Parameter(torch.randn(256)), nn.Parameter(torch.randn(1, 1, 16, 16))
        self.scale = nn.Parameter(torch.randn(1, 1, 16, 16))

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        x = torch.tanh(self.scale) * bg_fg[:, :1] + self.map.view(1, 1, 16, 16) + self.other
        return Prediction(x, 2 * x)


def test_gradients_that_share_memory_are_not_changed_under_way() -> None:
    torch.manual_seed(0)
    model, quartet = Added(), batch(1)

    def norm(recipe: str) -> float:
        model.zero_grad()
        Objective(parse(recipe))(model(quartet.bg, quartet.bg_fg), quartet).total.backward()
        return torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).norm().item()

    expected = {name: norm(f"mask: {name}") for name in ("bce", "l2")}
    model.zero_grad()
    gradients = TaskGradients(model, Objective(parse("mask: bce + l2, depth: l1")), ("mask", "depth"), PLAIN, steps=1)
    gradients(0, quartet)
    figures = gradients.means()
    assert {name: figures[f"mask.{name}"] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_learned_weights_of_heads_count() -> None:
    torch.manual_seed(0)
    model, quartet = TwoHeads(), batch()
    objective = Objective(parse("mask: bce, depth: l1, weighting: uncertainty"))
    with torch.no_grad():
        objective.weighting.log_variance.copy_(torch.tensor([1.0, -1.0]))
    gradients = TaskGradients(model, objective, ("mask", "depth"), PLAIN, steps=1)
    gradients(0, quartet)
    figures = gradients.means()
    assert figures["mask"] == pytest.approx(
        trunk_gradients(model, quartet, "mask: bce").norm().item() / 2.71828, rel=1e-4
    )
    assert figures["depth"] == pytest.approx(
        trunk_gradients(model, quartet, "depth: l1").norm().item() * 2.71828, rel=1e-4
    )
    assert objective.weighting.log_variance.grad is None


@pytest.mark.parametrize(
    ("steps", "expected"), [(1, [0]), (2, [1]), (5, [2]), (6, [3]), (13, [3, 9]), (18, [3, 9, 15])]
)
def test_in_the_middle_of_a_short_run_and_then_every_so_many_steps(
    monkeypatch: pytest.MonkeyPatch, steps: int, expected: list[int]
) -> None:
    monkeypatch.setattr(task_gradients, "EVERY", 6)
    gradients = TaskGradients(TwoHeads(), Objective(parse("mask: bce, depth: l1")), ("mask", "depth"), PLAIN, steps)
    measured = []
    for step in range(steps):
        gradients(step, batch())
        measured += [step] if gradients.means() else []
    assert measured == expected


def test_an_epoch_has_the_mean_of_its_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_gradients, "EVERY", 1)
    gradients = TaskGradients(TwoHeads(), Objective(parse("mask: bce, depth: l1")), ("mask", "depth"), PLAIN, steps=3)
    quartets = [batch().map(lambda tensor, by=by: tensor.roll(by, -1)) for by in range(3)]
    alone = []
    for quartet in quartets:
        gradients(0, quartet)
        alone.append(gradients.means()["mask"])
    for step, quartet in enumerate(quartets):
        gradients(step, quartet)
    assert gradients.means()["mask"] == pytest.approx(sum(alone) / 3)


def test_one_head_has_no_cosine_and_separate_nets_no_trunk() -> None:
    quartet = batch()
    model = models.build("masknet").train()
    single = TaskGradients(model, Objective(parse("mask: bce")), ("mask",), PLAIN, steps=1)
    single(0, quartet)
    assert set(single.means()) == {"mask", "mask.bce"}

    class Apart(TwoHeads):
        def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
            return Prediction(self.mask(self.trunk(torch.cat([bg, bg_fg], 1))), self.depth.bias.expand_as(bg[:, :1]))

    apart = TaskGradients(Apart(), Objective(parse("mask: bce, depth: l1")), ("mask", "depth"), PLAIN, steps=1)
    apart(0, quartet)
    assert apart.means() is None


@pytest.mark.parametrize("model", ["unet[width=4]", "twin_unet[width=4]"])  # batch norm, and dropout
def test_training_ends_bit_identical_with_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    source = Rectangles()
    one = spec(source, model)
    measured = run(one, source, tmp_path / "measured")
    first, second = (epoch.gradients for epoch in measured.history)
    assert first is None  # 12 steps in two epochs: measured once, in the middle
    assert -1 <= second["cosine"] <= 1
    assert set(second) == {"cosine", "mask", "mask.bce", "mask.dice", "depth", "depth.l1"}

    class Never(TaskGradients):
        def __call__(self, step: int, quartet: Quartet) -> None:
            pass

    monkeypatch.setattr(bench.train.loop, "TaskGradients", Never)
    plain = run(one, source, tmp_path / "plain")
    assert all(epoch.gradients is None for epoch in plain.history)
    assert same(measured, plain)
    assert [epoch.train_loss for epoch in measured.history] == [epoch.train_loss for epoch in plain.history]
