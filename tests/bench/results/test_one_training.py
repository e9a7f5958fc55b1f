"""Two names of one training are said to be that; of two trainings nothing is said."""

from pathlib import Path

import pytest

from bench.core.record import Epoch
from bench.results.compare import compare
from tests.bench.results_folder import keep


def epoch(*terms: str) -> list[Epoch]:
    losses = dict.fromkeys(("total", *terms), 0.5)
    return [Epoch(epoch=1, size=64, learning_rate=1e-3, train_loss=losses, val_loss=losses, val_metrics={})]


MASK = epoch("mask", "mask.bce")
BOTH = epoch("mask", "mask.bce", "depth", "depth.ssim[window=7,weight=2]")


def notes(folder: Path, a: dict, b: dict) -> str:
    for seed in range(2):
        for name, facts in (("first", a), ("second", b)):
            keep(folder, 0.8, seed, **{"model": "masknet", "recipe_name": name, **facts})
    return "; ".join(compare(folder, f"masknet:{a['recipe']}", f"masknet:{b['recipe']}").notes)


def test_the_part_that_trains_is_named(tmp_path: Path) -> None:
    plain = {"recipe": "mask: bce", "epochs": MASK}
    joint = {"recipe": "mask: bce, depth: ssim[window=7,weight=2]", "epochs": MASK}
    assert notes(tmp_path, plain, joint).startswith(
        "both are one training: mask: bce; their difference says nothing of the losses"
    )


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"recipe": "mask: bce", "epochs": MASK}, {"recipe": "mask: bce, depth: ssim", "epochs": BOTH}),
        ({"recipe": "mask: bce", "epochs": MASK}, {"recipe": "mask: 2*bce, depth: ssim", "epochs": MASK}),
        (
            {"recipe": "mask: bce", "epochs": MASK},
            {"recipe": "mask: bce, depth: ssim, weighting: uncertainty", "epochs": MASK},
        ),
        ({"recipe": "mask: bce", "epochs": []}, {"recipe": "mask: bce, depth: ssim", "epochs": []}),
        (
            {"recipe": "mask: bce", "epochs": MASK},
            {"recipe": "mask: bce, depth: ssim", "epochs": MASK, "precision": "tf32"},
        ),
    ],
    ids=["another head", "another weight", "another weighting", "not known", "another precision"],
)
def test_two_trainings(tmp_path: Path, a: dict, b: dict) -> None:
    assert "one training" not in notes(tmp_path, a, b)


def test_runs_against_themselves_have_their_own_note(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="masknet", recipe="mask: bce", recipe_name="bce", epochs=MASK)
    assert compare(tmp_path, "masknet", "masknet").notes == ("both sides are the same runs",)
