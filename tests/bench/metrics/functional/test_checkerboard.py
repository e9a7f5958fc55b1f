"""The checkerboard score tells what upsampling does from what blur, noise and misplacement do."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bench.data.sources import open_source
from bench.metrics import metrics
from bench.metrics.view import View
from registry.contract import Prediction, Quartet
from registry.models import models

SIZE = 96
QUIET, LOUD = 0.2, 0.5


@pytest.fixture(scope="module")
def truth() -> Tensor:
    """Rooms of a kind: a floor that rises, and boxes that stand anywhere on it."""
    draw = torch.Generator().manual_seed(0)
    depth = 0.3 + 0.3 * torch.rand(16, 1, 1, 1, generator=draw) * torch.linspace(0, 1, SIZE)[:, None]
    depth = depth.repeat(1, 1, 1, SIZE)
    for image in range(16):
        for _ in range(5):
            top, left, height, width = (int(v) for v in torch.randint(8, 50, (4,), generator=draw))
            depth[image, :, top : top + height, left : left + width] = 0.1 + 0.8 * torch.rand((), generator=draw)
    return depth


def score(predicted: Tensor, truth: Tensor) -> float:
    picture = torch.zeros(len(truth), 3, SIZE, SIZE)
    quartet = Quartet(picture, picture, depth=truth, valid=torch.ones_like(truth))
    view = View(Prediction(depth_logits=torch.logit(predicted, eps=1e-6)), quartet)
    return metrics.bind("depth_checkerboard").per_image(view).mean().item()


def blurred(depth: Tensor, side: int) -> Tensor:
    return functional.avg_pool2d(functional.pad(depth, (side // 2,) * 4, mode="replicate"), side, stride=1)


def resampled(depth: Tensor, factor: int, mode: str) -> Tensor:
    return functional.interpolate(functional.avg_pool2d(depth, factor), scale_factor=factor, mode=mode)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


INNOCENT = {
    "constant": lambda t: t.mean(dim=(-2, -1), keepdim=True).expand_as(t),
    "blurred": lambda t: blurred(t, 7),
    "moved": lambda t: t.roll((3, 5), dims=(-2, -1)),
    "noisy": lambda t: t + 0.03 * noise(*t.shape),
    "bilinear, 4x": lambda t: resampled(t, 4, "bilinear"),
    "bilinear, 16x": lambda t: resampled(t, 16, "bilinear"),
}

GUILTY = {
    **{f"nearest, {f}x": lambda t, f=f: resampled(t, f, "nearest") for f in (2, 4, 8, 16)},
    "blurred, 16-px blocks 2 % apart": lambda t: (
        blurred(t, 3)
        + 0.02 * noise(len(t), 1, SIZE // 16, SIZE // 16).repeat_interleave(16, -1).repeat_interleave(16, -2)
    ),
    "blurred, one 16-px tile all over": lambda t: blurred(t, 3) + 0.02 * noise(1, 1, 16, 16).repeat(1, 1, 6, 6),
    "chessboard of 2 %": lambda t: t + 0.02 * (-1.0) ** (torch.arange(SIZE) + torch.arange(SIZE)[:, None]),
}


def test_exact_is_0(truth):
    assert score(truth, truth) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", INNOCENT)
def test_innocent_errors_hardly_count(name, truth):
    assert score(INNOCENT[name](truth), truth) < QUIET


@pytest.mark.parametrize("name", GUILTY)
def test_lattices_count(name, truth):
    assert score(GUILTY[name](truth), truth) > LOUD


def test_stronger_blocks_score_higher(truth):
    blocks = noise(len(truth), 1, 6, 6).repeat_interleave(16, -1).repeat_interleave(16, -2)
    scores = [score(blurred(truth, 3) + amplitude * blocks, truth) for amplitude in (0.005, 0.01, 0.02, 0.04)]
    assert scores == sorted(scores) and scores[-1] > 2 * scores[0]


def test_a_lattice_in_the_truth_itself_is_no_artefact(truth):
    blocky = resampled(truth, 16, "nearest")
    assert score(blocky, blocky) == pytest.approx(0, abs=1e-5)


def test_system_002_shows_its_blocks_and_its_fixed_form_does_not() -> None:
    scenes = open_source("synthetic").render("train", torch.arange(4), 64)

    def excess(key: str) -> float:
        torch.manual_seed(0)
        with torch.no_grad():  # as it starts: the artefact is the decoder's, and training keeps it
            prediction = models.build(key).train()(scenes.bg, scenes.bg_fg)
        return metrics.bind("depth_checkerboard").per_image(View(prediction, scenes)).mean().item()

    assert excess("dilated_shuffle") > 0.3
    assert excess("dilated_shuffle[fixed=true]") < 0.1
    assert excess("unet") < 0.1


@pytest.mark.parametrize(("share", "judged"), [(0.05, False), (0.1, False), (0.3, False), (0.7, True), (1.0, True)])
def test_few_known_pixels_say_nothing_and_many_say_the_same(share, judged, truth):
    valid = (torch.rand(truth.shape, generator=torch.Generator().manual_seed(3)) < share).float()
    image = torch.zeros(len(truth), 3, SIZE, SIZE)
    scores = {}
    for name, predicted in {"innocent": INNOCENT["noisy"](truth), "guilty": GUILTY["nearest, 16x"](truth)}.items():
        quartet = Quartet(None, image, depth=truth, valid=valid)
        view = View(Prediction(depth_logits=torch.logit(predicted, eps=1e-6)), quartet)
        scores[name] = metrics.bind("depth_checkerboard").per_image(view)
    if judged:
        assert scores["innocent"].mean() < QUIET and scores["guilty"].mean() > LOUD
    else:
        assert all(values.isnan().all() for values in scores.values())
