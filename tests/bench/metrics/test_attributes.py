"""What images are like, recorded beside their scores."""

import dataclasses

import pytest
import torch

from bench.data.sources import open_source
from bench.metrics import metrics
from bench.metrics.attributes import CAMERA, NAMES, PREFIX, attributes, camera_columns
from registry.contract import Quartet


def named(quartet: Quartet) -> dict[str, list[float]]:
    return dict(zip(NAMES, attributes(quartet).tolist(), strict=True))


@pytest.fixture
def quartet() -> Quartet:
    bg = torch.full((2, 3, 8, 8), 0.2)
    mask = torch.zeros(2, 1, 8, 8)
    mask[0, :, 2:6, 2:4] = 1
    bg_fg = torch.where(mask > 0, 0.7, bg)
    depth = torch.where(mask > 0, 0.25, 0.9)
    valid = torch.ones_like(mask)
    valid[0, :, :4] = 0
    return Quartet(bg, bg_fg, mask, depth, valid)


def test_known_values_and_nan_where_there_is_no_object(quartet):
    found = named(quartet)
    assert found["mask_area"] == pytest.approx([8 / 64, 0])
    assert found["depth_known"] == [0.5, 1]
    assert found["object_depth"][0] == pytest.approx(0.25) and found["object_contrast"][0] == pytest.approx(0.5)
    assert torch.tensor([found["object_depth"][1], found["object_contrast"][1]]).isnan().all()


def test_unknown_pixels_count_nowhere(quartet):
    unknown = torch.zeros_like(quartet.mask)
    unknown[:, :, 2:4] = 1
    found = named(
        dataclasses.replace(quartet, mask_valid=1 - unknown, mask=torch.where(unknown > 0, torch.nan, quartet.mask))
    )
    assert found["mask_area"] == pytest.approx([4 / 48, 0])
    holes = dataclasses.replace(quartet, depth=torch.where(quartet.valid > 0, quartet.depth, torch.nan))
    torch.testing.assert_close(attributes(holes), attributes(quartet), equal_nan=True)


@pytest.mark.parametrize("missing", [("mask",), ("depth", "valid"), ("bg",)])
def test_what_the_data_lacks_is_nan(quartet, missing):
    found = named(dataclasses.replace(quartet, **dict.fromkeys(missing)))
    lost = {"mask": NAMES[:3], "depth": ("object_depth", "depth_known"), "bg": ("object_contrast",)}[missing[0]]
    for name, values in found.items():
        assert torch.tensor(values[:1]).isnan().item() == (name in lost), name


def test_columns_are_no_metrics_and_hold_what_the_camera_drew():
    ids = torch.arange(3)
    columns = camera_columns(open_source("synthetic").camera_draws("test", ids))
    assert {"camera/shift_0", "camera/shift_1", "camera/noise"} <= set(columns)
    assert all(len(values) == 3 for values in columns.values())
    assert camera_columns({}) == {}
    assert not any(name.startswith((PREFIX, CAMERA)) for name in metrics.names())
