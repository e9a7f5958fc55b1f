"""The loss tax: what costs more is dearer, the reference costs nothing over itself, memory is counted."""

import pytest
import torch

from bench.profile.tax import Tax, measure
from bench.report.markdown.tax_table import tax_table
from registry.errors import UnknownName
from tests.bench.progress_log import Told

CPU = torch.device("cpu")


def test_the_reference_costs_nothing_over_itself_and_ssim_does() -> None:
    progress = Told()
    taxes = measure(
        {"bce": "bce", "dear": "mask: bce + ssim, depth: bce + ssim + ms_ssim"}, 32, 4, CPU, rounds=5, progress=progress
    )
    assert len(progress.words) == 8  # 3 rounds to warm up
    assert taxes["bce"].extra_mib == 0
    assert taxes["dear"].ratio > 2
    assert taxes["dear"].extra_ms > 0
    assert taxes["dear"].milliseconds > taxes["bce"].milliseconds


def test_memory_is_that_of_the_maps_held() -> None:
    maps = 4 * 64 * 64 * 4 / 2**20  # float32, a map an image
    extra = {loss: measure({loss: loss}, 64, 4, CPU, rounds=1)[loss].extra_mib for loss in ("mask: bce", "mask: l2")}
    assert extra["mask: bce"] < 0  # one head less than the reference
    assert extra["mask: l2"] - extra["mask: bce"] == 2 * maps  # the activated value and its error
    twice = measure({"a": "mask: bce, depth: ssim"}, 64, 8, CPU, rounds=1)["a"].extra_mib
    once = measure({"a": "mask: bce, depth: ssim"}, 64, 4, CPU, rounds=1)["a"].extra_mib
    assert twice == pytest.approx(2 * once, rel=0.01)


def test_the_table_is_sorted_by_what_it_costs() -> None:
    page = tax_table({"dear": Tax(9, 5, 3, 1.5), "cheap": Tax(4, 0.1, 1.0, 0)})
    assert page.index("cheap") < page.index("dear")
    assert "| `dear` | 9.00 | +5.00 | 3.0 | +1.5 |" in page


def test_an_unknown_recipe() -> None:
    with pytest.raises(UnknownName):
        measure({"x": "bce_sim"}, 32, 1, CPU)
