"""The rarest draws: every random number at an end of its range, alone and together.

A sweep over a million samples meets the largest of 2^24 draws in a given column once in sixteen sweeps; here it is
drawn on purpose.
"""

from __future__ import annotations

import zlib

import pytest
import torch
from torch import Tensor

from bench.data.augment import augmentations, pipeline
from bench.data.camera import condition
from bench.data.composed import source as composed_source
from bench.data.sources import open_source
from bench.data.synthetic import scene
from bench.devtools.rare import faults
from registry.contract import Quartet
from tests.bench.data.conftest import Pictures

LARGEST = 1 - 2.0**-24
WIDEST = {
    "crop": "crop[padding=1]",
    "scale": "scale[high=10,low=0.01]",
    "rotate": "rotate[degrees=180]",
    "blur": "blur[p=1,sigma=8]",
    "noise": "noise[sigma=1]",
    "hue": "hue[degrees=180]",
    "dropout": "dropout[holes=16,p=1,size=1]",
    "jpeg": "jpeg[highest=100,lowest=1,p=1]",
    "standard": "standard[brightness=1,contrast=1,flip=1,gain=1,zoom=4]",
    "brightness": "brightness[amount=1]",
    "contrast": "contrast[amount=1]",
    "saturation": "saturation[amount=1]",
    "grey": "grey[p=1]",
    "flip": "flip[p=1]",
    "none": "none",
}


def corners(seed: int, stream: str, ids: Tensor, n: int) -> Tensor:
    """Draws of which two fifths each are the least and the greatest possible."""
    state = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{stream}/{int(ids[0])}".encode()))
    which, between = torch.rand(2, len(ids), n, generator=state)
    return torch.where(which < 0.4, 0.0, torch.where(which < 0.8, LARGEST, between))


def draw_corners(patch: pytest.MonkeyPatch) -> None:
    for module in (scene, condition, pipeline, composed_source):
        patch.setattr(module, "uniform", corners)


@pytest.fixture
def at_the_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_corners(monkeypatch)


@pytest.fixture(scope="module")
def rendered() -> Quartet:
    """64 rooms, of a camera that stands still."""
    with pytest.MonkeyPatch.context() as patch:
        draw_corners(patch)
        return open_source("synthetic", camera="still").render("train", torch.arange(64), 32)


@pytest.fixture
def still(rendered: Quartet) -> Quartet:
    """The same rooms, for a test that may write into them."""
    return Quartet.of({name: tensor.clone() for name, tensor in rendered.tensors()})


CAMERAS = ["still", "handheld", "handheld[gain=0.9,highest=100,jpeg=1,lowest=1,noise=1,shift=0.5]"]


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_rendered_rooms(camera: str, part: str, at_the_corners: None) -> None:
    quartet = open_source("synthetic", camera=camera).render(part, torch.arange(64), 32)  # type: ignore[arg-type]
    assert {fault: places.tolist() for fault, places in faults(quartet, all_known=True) if len(places)} == {}


@pytest.mark.parametrize("camera", CAMERAS)
def test_pasted_objects(camera: str, shared_pictures: Pictures, at_the_corners: None) -> None:
    folders = {"bg": shared_pictures.bg, "fg": shared_pictures.fg, "bg_depth": shared_pictures.depth}
    source = open_source("composed", **folders, camera=camera, resolution=64)
    for part in ("train", "val", "test"):
        quartet = source.render(part, torch.arange(64), 32)  # type: ignore[arg-type]
        assert {fault: places.tolist() for fault, places in faults(quartet, all_known=False) if len(places)} == {}


def test_every_operation_is_tried_at_its_widest() -> None:
    assert set(WIDEST) == set(augmentations.names())


@pytest.mark.parametrize("metric", [False, True])
@pytest.mark.parametrize("text", [*WIDEST.values(), *WIDEST, "crop + scale + rotate + hue + jpeg + noise + dropout"])
def test_augmentations(text: str, metric: bool, still: Quartet, at_the_corners: None) -> None:
    augmented = pipeline.augment(still, 0, 1, torch.arange(64), text, metric)
    found = {fault for fault, places in faults(augmented, all_known=False) if len(places)}
    # An object may be moved out of the picture, or fill it.
    assert found <= {"mask/empty", "mask/full"}


def test_no_camera_compresses_beyond_its_highest_quality(at_the_corners: None) -> None:
    drawn = condition.find_camera("handheld[jpeg=1,lowest=40,highest=90]").draws(0, "s", torch.arange(256))
    for name in ("jpeg_bg", "jpeg_bg_fg"):
        assert (drawn[name].min(), drawn[name].max()) == (40, 90)
