"""The report: a self-contained page, from any records."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.record import Load
from bench.report.html.explore.page import report
from bench.report.html.explore.side_by_side import FIELDS, NAME
from bench.results import store
from tests.bench.records import record
from tests.bench.results_folder import keep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    results = tmp_path / "results"
    for seed in range(3):
        keep(results, 0.80 + 0.01 * seed, seed, model="unet")
        keep(results, 0.84 + 0.005 * seed, seed, model="wnet[width=8]")
    keep(results, 0.3, 0, model="difference", recipe="")
    store.write(results, record("resnet_unet", outcome="diverged", reason="became </script> NaN"), {})
    return tmp_path


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def test_rows_scores_and_places(folder: Path) -> None:
    data = data_of(report(folder / "results", folder / "runs"))
    by_model = {line["model"]: line for line in data["lines"]}
    assert by_model["unet"]["scores"]["mask_dice"]["mean"] == pytest.approx(0.81)
    assert by_model["unet"]["scores"]["mask_dice"]["skill"] == pytest.approx((0.81 - 0.3) / 0.7)
    assert by_model["wnet[width=8]"]["places"]["mask_dice"]["order"] == 0
    assert len(by_model["unet"]["spread"]["mask_dice"]) == 41
    assert next(iter(data["boards"][0]["metrics"])) == "mask_dice"  # in their own order, not by name


def test_a_run_that_shared_its_device_has_no_times(folder: Path) -> None:
    beside = Load(windows=4, disturbed=0, shared=2)
    keep(folder / "results", 0.9, 0, model="unet", precision="bfloat16", load=beside)
    lines = data_of(report(folder / "results", folder / "runs"))["lines"]
    timed = {
        (line["precision"], line["step_ms"], line["rate"], bool(line["blocks"]))
        for line in lines
        if line["model"] == "unet"
    }
    assert timed == {("float32", 320.0, 100.0, True), ("bfloat16", None, None, False)}


def test_times_of_runs_on_a_busy_machine_are_the_leaderboards(folder: Path) -> None:
    """A row's times are of its undisturbed runs; where there is none they are said to be disturbed."""
    busy = Load(windows=4, disturbed=4, marked=True)
    slow = record().timings.model_copy(update={"images_per_second": 50.0, "step_ms": 640.0})
    for seed in (3, 4, 5, 6):
        keep(folder / "results", 0.8, seed, model="unet", load=busy, timings=slow)
    keep(folder / "results", 0.9, 0, model="masknet", load=busy, timings=slow)
    page = report(folder / "results", folder / "runs")
    times = {line["model"]: (line["step_ms"], line["rate"], line["disturbed"]) for line in data_of(page)["lines"]}
    assert times["unet"] == (320.0, 100.0, False)
    assert times["masknet"] == (640.0, 50.0, True)
    assert "had their device to themselves" not in page


def test_it_asks_no_network_and_holds_no_foreign_markup(folder: Path) -> None:
    page = report(folder / "results", folder / "runs")
    own = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert "became &lt;/script&gt; NaN" in own
    assert not re.findall(r'(?:src|href)="(?!#|data:)', own)
    assert len(page) < 10 * 2**20


def test_no_records(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    assert "0 rows" in report(tmp_path / "results", tmp_path / "runs")


def test_side_by_side(folder: Path) -> None:
    named = {r.spec.model: r for _, r in store.read_all(folder / "results")}
    pixels = np.zeros((5 * 64, FIELDS * 64, 3), dtype=np.uint8)
    pixels[:, 4 * 64 : 5 * 64] = np.repeat(np.arange(5, dtype=np.uint8) * 50, 64)[:, None, None]  # ever worse
    place = folder / "runs" / named["unet"].id
    place.mkdir(parents=True)
    Image.fromarray(pixels).save(place / NAME)
    page = report(folder / "results", folder / "runs")
    assert "best (test image 0)" in page
    assert "worst (test image 4)" in page
    assert 'alt="mask by unet' in page
    assert '<span class="none">–</span><br>wnet[width=8]' in page


def test_slices(folder: Path) -> None:
    assert "no record of this board has facts of its test images" in report(folder / "results", folder / "runs")
    named = next((n, r) for n, r in store.read_all(folder / "results") if (r.spec.model, r.spec.seed) == ("unet", 0))
    table = store.read_images(folder / "results" / named[0])
    table["image/mask_area"] = [0.01 * (index % 8) for index in range(len(table["sample"]))]
    for suffix in (".json", ".images.csv"):
        (folder / "results" / named[0]).with_suffix(suffix).unlink()
    store.write(folder / "results", named[1], table)
    page = report(folder / "results", folder / "runs")
    rows = re.findall(r'<td class="text">mask area</td><td class="text">(.*?)</td><td>(\d+)</td>', page)
    assert sum(int(count) for _, count in rows[:4]) == len(table["sample"])
