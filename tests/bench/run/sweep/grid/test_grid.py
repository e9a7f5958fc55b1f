"""A grid: what patterns stand for, what is left out, and what is refused."""

from pathlib import Path

import pytest

from bench.core.errors import BenchError
from bench.run.sweep.grid.grid import Grid, expand_losses, expand_models, same_training
from bench.run.sweep.grid.grid_file import GridOption, read_grid_file
from bench.run.sweep.grid.wildcard import matches, select
from registry.errors import RecipeSyntax, UnknownName


def labels(*models: str, losses: tuple[str, ...] = ("bce",), exclude: tuple[str, ...] = ()) -> list[str]:
    return [cell.label for cell in Grid(models, losses, exclude).cells]


def test_models_times_losses_each_once() -> None:
    found = labels("unet", "unet[width=8|16]", "unet", losses=("bce", "mask: bce", "bce"))
    assert found == [
        "unet x bce", "unet x mask: bce", "unet[width=8] x bce", "unet[width=8] x mask: bce", "unet[width=16] x bce",
        "unet[width=16] x mask: bce",
    ]  # fmt: skip


def test_two_spellings_of_one_cell_are_one() -> None:
    assert labels("unet", "unet[width=32]", losses=("mask: bce,depth:bce", "bce")) == ["unet x mask: bce,depth:bce"]


def test_losses_that_differ_where_a_model_has_no_head_are_one_training() -> None:
    losses = ("bce", "bce_ssim", "mask: bce", "mask: bce + dice", "depth: l1")
    grid = Grid(("masknet", "unet"), losses)
    alike = [[cell.label for cell in group] for group in same_training(grid.cells)]
    assert alike == [["masknet x bce", "masknet x bce_ssim", "masknet x mask: bce"]]


def test_a_pattern_of_models_leaves_out_what_learns_nothing() -> None:
    assert set(expand_models("*net")) >= {"unet", "wnet", "masknet"}
    assert not {"difference", "constant", "mean_map"} & set(expand_models("*"))
    assert not any(name.startswith("smp/") for name in expand_models("*"))


def test_a_pattern_reaches_the_combinations_of_smp() -> None:
    found = expand_models("smp/unet/resnet1?")
    assert found == ["smp/unet/resnet18"]
    assert expand_models("smp/fpn/resnet1?[weights=none]") == ["smp/fpn/resnet18[weights=none]"]


def test_a_pattern_of_losses_passes_over_published_faults() -> None:
    found = expand_losses("bce_*")
    assert "bce_ssim" in found
    assert not [name for name in found if "@" in name]
    assert expand_losses("bce_ssim@*") == ["bce_ssim@published"]
    assert expand_losses("mask: 2*bce") == ["mask: 2*bce"]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        ("wnet", ["unet x bce", "unet x edge"]),
        ("w*", ["unet x bce", "unet x edge"]),
        ("wnet x e*", ["unet x bce", "unet x edge", "wnet x bce"]),
        ("* x edge", ["unet x bce", "wnet x bce"]),
    ],
)
def test_exclusions(exclude: str, left: list[str]) -> None:
    assert labels("unet", "wnet", losses=("bce", "edge"), exclude=(exclude,)) == left


def test_an_exclusion_that_excludes_nothing_is_a_mistake() -> None:
    with pytest.raises(BenchError, match="'wnett' excludes nothing"):
        labels("unet", "wnet", exclude=("wnett",))


def test_what_does_not_go_together_is_left_out_and_named() -> None:
    grid = Grid(["unet_mask", "unet"], ["depth: l1", "bce"])
    assert [cell.label for cell in grid.cells] == ["unet_mask x bce", "unet x depth: l1", "unet x bce"]
    assert [cell.label for cell in grid.left_out] == ["unet_mask x depth: l1"]


def test_nothing_left_is_said() -> None:
    with pytest.raises(BenchError, match="the grid is empty"):
        labels("unet_mask", losses=("depth: l1",))


def test_mistakes_are_named() -> None:
    with pytest.raises(UnknownName, match="unknown model pattern 'wnett\\*'"):
        labels("wnett*")
    with pytest.raises(UnknownName, match="unknown loss pattern"):
        labels("unet", losses=("nothing_*",))
    with pytest.raises(RecipeSyntax):
        labels("unet", losses=("mask: bce +",))


def test_brackets_are_no_wildcards() -> None:
    assert matches("unet[width=8]", "unet[width=8]")
    assert not matches("unet[width]", "unetw")
    assert select("?net", ["unet", "wnet", "net"]) == ["unet", "wnet"]


OPTIONS = {
    **dict.fromkeys(("model", "loss"), GridOption(repeatable=True)),
    **dict.fromkeys(("seeds", "max_hours"), GridOption()),
    "baselines": GridOption(flag=True),
    "depth_range": GridOption(length=2),
}


def read(folder: Path, text: str) -> dict:
    path = folder / "grid.toml"
    path.write_text(text)
    return read_grid_file(path, OPTIONS)


def test_a_file_gives_options_by_name(tmp_path: Path) -> None:
    text = (
        'model = ["unet", "wnet"]\nloss = "bce_*"\nseeds = 3\nmax-hours = 2\nbaselines = false\ndepth-range = [0, 9]\n'
    )
    expected = {"model": ["unet", "wnet"], "loss": ["bce_*"], "seeds": 3, "max_hours": 2, "baselines": False}
    assert read(tmp_path, text) == {**expected, "depth_range": [0, 9]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("modell = 1", "did you mean model"),
        ("seeds = [1, 2]", "takes one value"),
        ("seeds = true", "seeds takes a value, not true"),
        ("model = true", "model takes a value, not true"),
        ('model = ["unet", true]', "takes names or numbers"),
        ('baselines = "no"', 'baselines takes true or false, not "no"'),
        ("baselines = 0", "baselines takes true or false, not 0"),
        ("depth-range = 10.0", "takes a list of 2 values, not 10.0"),
        ("depth-range = [1.0]", "takes 2 values, not 1"),
        ("max-hours = 1\nmax_hours = 2", "twice"),
        ("[model]\nunet = 1", "is a table"),
        ("model =", "cannot read the grid"),
    ],
)
def test_a_file_with_a_mistake_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BenchError, match=reason):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot read the grid"):
        read_grid_file(tmp_path / "none.toml", OPTIONS)
