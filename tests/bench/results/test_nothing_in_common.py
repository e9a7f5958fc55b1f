"""Cells without a metric in common are no comparison: what each of them predicts is said."""

from pathlib import Path

import pytest

from bench.core.errors import BenchError
from bench.core.record.image_columns import PREFIX
from bench.results import store
from bench.results.compare import compare
from bench.results.slices.slices import slices
from tests.bench.records import record
from tests.bench.results_folder import images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two twins and their joint model, two seeds each; every table says what its images are like."""
    for seed in range(2):
        columns = images(0.8, seed) | {f"{PREFIX}mask_area": [n / 60 for n in range(60)]}
        for model, left_out in (("unet_mask", "depth_rmse"), ("unet_depth", "mask_dice"), ("wnet", "")):
            whole = record(model, seed=seed)
            test = {name: score for name, score in whole.test.items() if name != left_out}
            table = {name: values for name, values in columns.items() if name != left_out}
            store.write(tmp_path, whole.model_copy(update={"test": test}), table)
    return tmp_path


@pytest.mark.parametrize("ask", [compare, slices])
def test_twins_have_nothing_in_common(folder: Path, ask) -> None:
    says = "have no metric in common: unet_mask:bce_ssim predicts mask, unet_depth:bce_ssim predicts depth"
    with pytest.raises(BenchError, match=says) as caught:
        ask(folder, "unet_mask", "unet_depth")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("ask", [compare, slices])
def test_a_named_metric_that_a_side_lacks(folder: Path, ask) -> None:
    says = "have no depth_rmse in common: unet_mask:bce_ssim predicts mask, wnet:bce_ssim predicts mask and depth"
    with pytest.raises(BenchError, match=says):
        ask(folder, "unet_mask", "wnet", ["depth_rmse"])


def test_of_slices_what_some_metrics_lack_is_a_note(folder: Path) -> None:
    found = slices(folder, "unet_mask", "wnet", ["depth_rmse", "mask_dice"])
    assert found.metrics == ["mask_dice"]
    assert found.notes == ["depth_rmse is not in both records"]
    with pytest.raises(BenchError, match="unet_mask:bce_ssim has no depth_rmse: unet_mask:bce_ssim predicts mask"):
        slices(folder, "unet_mask", metrics=["depth_rmse"])


def test_by_default_a_side_is_compared_on_what_it_has(folder: Path) -> None:
    assert slices(folder, "unet_mask", "wnet").notes == []
    assert list(compare(folder, "unet_mask", "wnet").findings) == ["mask_dice"]
