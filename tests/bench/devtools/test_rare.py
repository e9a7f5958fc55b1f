from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.core.protocol import protocols
from bench.data.camera import cameras
from bench.data.source import Source
from bench.data.sources import open_source
from bench.devtools.rare import FaultCounts, faults, is_ordinary
from registry.contract import Quartet
from registry.optimizers import optimizers
from registry.schedules import schedules
from tests.bench.data.conftest import Pictures
from tests.bench.rectangles import Rectangles


@pytest.mark.parametrize("camera", ["handheld", "still"])
def test_samples_whose_rays_once_met_nothing(camera: str) -> None:
    """A ray parallel to a wall has an infinite reciprocal, which a surface's number once made NaN."""
    source = open_source("synthetic", camera=camera)
    for part, ids in (("train", [4837, 12633]), ("test", [0, 2**31 - 1, 2**31, 2**40])):
        quartet = source.render(part, torch.tensor(ids), 64).check()  # type: ignore[arg-type]
        assert quartet.mask is not None
        assert (quartet.mask.amax((1, 2, 3)) > 0.5).all()
        assert all(not len(places) for _, places in faults(quartet, all_known=True))


@pytest.mark.parametrize("camera", cameras.names())
@pytest.mark.parametrize(("size", "count"), [(8, 1024), (192, 4)])
def test_nothing_rare_among_the_first_samples(camera: str, size: int, count: int, tmp_path: Path) -> None:
    sweep = FaultCounts(tmp_path / "counts.json", open_source("synthetic", camera=camera), "train", size, size == 8)
    found = sweep.run(count, 256)
    assert [fault for fault in found if not is_ordinary(fault, size)] == []


def test_slender_figures_lie_between_the_rays_of_tiny_pictures_alone() -> None:
    source, ids = open_source("synthetic", camera="still"), torch.tensor([1643, 5639, 7532, 10714])
    for size in (8, 32):
        met = source.render("train", ids, size).mask.amax((1, 2, 3)) > 0.5  # type: ignore[union-attr]
        assert met.all() == (size == 32)
    assert is_ordinary("mask/empty", 8)
    assert not is_ordinary("mask/empty", 32)
    assert not is_ordinary("depth/not finite", 8)


def test_nothing_rare_among_pasted_objects(shared_folders: Pictures, tmp_path: Path) -> None:
    folders = {"bg": shared_folders.bg, "fg": shared_folders.fg, "bg_depth": shared_folders.depth}
    found = FaultCounts(tmp_path / "c.json", open_source("composed", **folders, resolution=64), "train", 16).run(
        1024, 256
    )
    assert {fault for fault in found if not fault.startswith("mask/empty after")} == set()


@pytest.fixture(scope="module")
def shared_folders(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return Pictures(tmp_path_factory.mktemp("pictures"))


def test_a_sweep_finds_what_is_wrong_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    source: Source = Rectangles(broken=("val", 70))
    path = tmp_path / "counts.json"
    assert not FaultCounts(path, source, "val", 16, with_augmentation=False).run(64, 32)
    later = FaultCounts(path, source, "val", 16, with_augmentation=False)
    assert later.done == 64
    assert later.run(128, 32) == {"depth/not finite": {"count": 1, "ids": [70]}}
    assert FaultCounts(path, source, "val", 24, with_augmentation=False).done == 0, "other samples begin anew"


def test_every_kind_of_fault_is_seen() -> None:
    image, plane = torch.full((5, 3, 4, 4), 0.5), torch.zeros(5, 1, 4, 4)
    quartet = Quartet(image.clone(), image.clone(), plane + 0.2, plane + 0.5, plane + 1)
    quartet.bg[0, 0, 0, 0] = torch.inf  # type: ignore[index]
    quartet.bg_fg[1, 0, 0, 0] = 1.01
    quartet.mask[2], quartet.mask[3] = 0, 1  # type: ignore[index]
    quartet.valid[4, 0, 1, 1] = 0  # type: ignore[index]
    found = {name: places.tolist() for name, places in faults(quartet, all_known=True) if len(places)}
    assert found == {
        "bg/not finite": [0],
        "bg/outside [0, 1]": [0],
        "bg_fg/outside [0, 1]": [1],
        "mask/empty": [2],
        "mask/full": [3],
        "depth/not known everywhere": [4],
    }


@pytest.mark.parametrize("name", schedules.names())
def test_schedules_at_their_last_step(name: str) -> None:
    for steps in (1, 2, 3, protocols.build("quick").steps):
        weight = torch.nn.Parameter(torch.ones(1))
        optimizer = optimizers.build("adam")([weight])
        try:
            schedule = schedules.build(name)(optimizer, steps)
        except ValueError:
            continue  # said before training
        for _ in range(steps):
            optimizer.step()
            rates = [group["lr"] for group in optimizer.param_groups]
            assert all(0 <= rate < 10 for rate in rates)
            if not isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
                schedule.step()
