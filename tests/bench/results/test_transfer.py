"""Negative transfer: the relative change against the twins, and which records count as twins."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.core.errors import BenchError
from bench.report.terminal.results.transfer_table import transfer_table
from bench.results.transfer import transfers
from registry.errors import UnknownName
from registry.models import models
from tests.bench.results_folder import keep

BOTH = "mask: bce, depth: 2*ssim"


def test_joint_against_its_twins(tmp_path: Path) -> None:
    for seed in range(3):
        keep(tmp_path, 0.80, seed, model="wnet", recipe=BOTH)
        keep(tmp_path, 0.90, seed, model="unet_mask", recipe="mask: bce")
        keep(tmp_path, 0.70, seed, model="unet_depth", recipe=BOTH)
    found = {transfer.metric: transfer for transfer in transfers(tmp_path, "wnet")}
    change = found["mask_dice"].change
    assert change is not None
    assert change[0] == pytest.approx(-0.1 / 0.9, abs=0.01)
    assert change[1] < change[0] < change[2]
    assert found["mask_dice"].finding.verdict == "worse"
    assert (found["depth_rmse"].change or (0,))[0] == pytest.approx(-0.1 / 0.3, abs=0.01)
    assert found["depth_rmse"].finding.verdict == "better"
    page = io.StringIO()
    Console(width=200, file=page).print(transfer_table(list(found.values())))
    assert "harms" in page.getvalue()


def test_one_seed_of_a_twin_gives_no_verdict(tmp_path: Path) -> None:
    for seed in range(3):
        keep(tmp_path, 0.80, seed, model="wnet", recipe=BOTH)
    keep(tmp_path, 0.90, 1, model="unet_mask", recipe="mask: bce")
    found = transfers(tmp_path, "wnet")
    assert {transfer.finding.verdict for transfer in found} == {"no verdict"}
    page = io.StringIO()
    Console(width=200, file=page).print(transfer_table(found))
    assert "run a second seed" in page.getvalue()
    assert "harms" not in page.getvalue()
    assert "do not count: 0, 2 of A" in page.getvalue()


def test_only_what_ran_alike_counts(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="wnet", recipe=BOTH)
    keep(tmp_path, 0.9, model="unet_mask", recipe="mask: bce + dice")
    keep(tmp_path, 0.9, model="unet_depth", recipe=BOTH, data={"kind": "synthetic", "camera": "still"})
    with pytest.raises(BenchError, match="--model wnet --model unet_mask --model unet_depth"):
        transfers(tmp_path, "wnet")


def test_a_twin_in_another_precision_does_not_count(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="wnet", recipe=BOTH)
    keep(tmp_path, 0.9, model="unet_mask", recipe="mask: bce", precision="bfloat16")
    says = (
        "in the same precision: .*--model wnet --loss bce_ssim --precision float32 --first-seed 1 .*--model unet_mask"
    )
    with pytest.raises(BenchError, match=says):
        transfers(tmp_path, "wnet")
    keep(tmp_path, 0.9, seed=1, model="unet_mask", recipe="mask: bce", precision="bfloat16")
    with pytest.raises(
        BenchError, match="--model wnet --loss bce_ssim --precision bfloat16 --seeds 2 makes it 2 seeds"
    ):
        transfers(tmp_path, "wnet")


def test_of_several_precisions_that_of_most_seeds_counts_and_the_others_are_named(tmp_path: Path) -> None:
    for seed in range(3):
        keep(tmp_path, 0.80, seed, model="wnet", recipe=BOTH, precision="bfloat16")
    for seed in range(2):
        keep(tmp_path, 0.70, seed, model="wnet", recipe=BOTH)
        keep(tmp_path, 0.90, seed, model="unet_mask", recipe="mask: bce")
    keep(tmp_path, 0.90, 0, model="unet_mask", recipe="mask: bce", precision="bfloat16")
    (found,) = [transfer for transfer in transfers(tmp_path, "wnet") if transfer.metric == "mask_dice"]
    assert found.finding.seeds == 2
    assert found.finding.a == pytest.approx(0.7, abs=0.02)
    page = io.StringIO()
    Console(width=200, file=page).print(transfer_table([found]))
    assert "there are runs in bfloat16 (3 seeds) and bfloat16 (1 seed) too" in page.getvalue()


def test_a_cell_restricts_it_to_that_loss(tmp_path: Path) -> None:
    for recipe, name in ((BOTH, "bce_ssim"), ("mask: bce, depth: l1", "bce_l1")):
        for precision in ("float32", "bfloat16"):
            keep(tmp_path, 0.8, model="wnet", recipe=recipe, recipe_name=name, precision=precision)
            keep(tmp_path, 0.9, model="unet_mask", recipe="mask: bce", precision=precision)
    assert len({found.joint for found in transfers(tmp_path, "wnet")}) == 2
    (label,) = {found.joint for found in transfers(tmp_path, "wnet:bce_ssim")}
    assert label == "wnet:bce_ssim"
    assert any("there are runs in" in note for found in transfers(tmp_path, "wnet:bce_ssim") for note in found.notes)
    one = transfers(tmp_path, "wnet:bce_ssim:bfloat16")
    assert not any("there are runs in" in note for found in one for note in found.notes)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wnet:bce_dice", "unknown cell 'wnet:bce_dice'; did you mean wnet:bce_ssim"),
        ("wnte:bce_ssim", "unknown model 'wnte'; did you mean wnet"),
        ("unet:bce_ssim", "unet has no single-task twins"),
    ],
)
def test_a_cell_that_is_none_is_answered_as_one(tmp_path: Path, text: str, says: str) -> None:
    keep(tmp_path, 0.8, model="wnet")
    with pytest.raises((BenchError, UnknownName), match=says):
        transfers(tmp_path, text)


def test_a_board_that_there_is_not(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="wnet")
    with pytest.raises(BenchError, match="no protocol or data is called 'still'; the boards are: quick"):
        transfers(tmp_path, "wnet", "still")


def test_few_backgrounds_are_said(tmp_path: Path) -> None:
    """The tables of these records show five objects."""
    for seed in range(2):
        keep(tmp_path, 0.80, seed, model="wnet", recipe=BOTH)
        keep(tmp_path, 0.90, seed, model="unet_mask", recipe="mask: bce")
    page = io.StringIO()
    Console(width=200, file=page).print(transfer_table(transfers(tmp_path, "wnet")))
    assert "Only 5 objects: with fewer than 10 an interval is wide" in page.getvalue()


def test_tuned_rows_are_set_against_tuned_ones(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="wnet", recipe=BOTH, division="tuned (5 trials)")
    keep(tmp_path, 0.9, model="unet_mask", recipe="mask: bce")
    with pytest.raises(BenchError, match="under the same protocol"):
        transfers(tmp_path, "wnet")
    keep(tmp_path, 0.9, model="unet_depth", recipe=BOTH, division="tuned (5 trials)")
    assert {transfer.twin for transfer in transfers(tmp_path, "wnet")} == {"unet_depth:bce_ssim"}


def test_a_model_without_twins(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no single-task twins"):
        transfers(tmp_path, "unet")


def test_twins_cover_the_joint_models_tasks() -> None:
    joint = models.get("wnet")
    heads = [head for twin in joint.facts["twins"] for head in models.get(twin).facts["heads"]]
    assert sorted(heads) == sorted(joint.facts["heads"])
