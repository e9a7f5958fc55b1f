"""The report: one page that holds everything, from any records; opened in a browser where there is one."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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


@pytest.mark.extra
def test_in_a_browser(folder: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium: apt-get install chromium")
    page = report(folder / "results", folder / "runs")
    # What a person does: choose a model, sort a column, walk by keyboard. What is seen is left in the title.
    probe = """<script>addEventListener("load", () => setTimeout(() => {
      const seen = {};
      document.querySelectorAll(".chart").forEach(chart => chart.scrollIntoView());
      const model = document.getElementById("f-model");
      const choose = value => { model.value = value; model.dispatchEvent(new Event("change")); };
      choose("unet");
      const rows = [...document.querySelector("table.ranking").tBodies[0].rows];
      seen.left = rows.filter(row => !row.hidden).length;
      choose("");
      const button = document.querySelector("table.ranking thead button");
      button.focus();
      seen.focused = document.activeElement === button;
      button.click();
      seen.sorted = button.closest("th").getAttribute("aria-sort");
      const unnamed = "img:not([alt]), select:not([id]), [role=img]:not([aria-label])";
      seen.unnamed = document.querySelectorAll(unnamed).length;
      setTimeout(() => {
        seen.charts = document.querySelectorAll(".chart .main-svg").length > 0;
        Plotly.Fx.hover("c-cost", [{curveNumber: 0, pointNumber: 0}]);
        seen.hover = document.querySelectorAll("#c-cost .hoverlayer .hovertext").length > 0;
        const paint = performance.getEntriesByType("paint").find(e => e.name === "first-contentful-paint");
        seen.painted = paint !== undefined && paint.startTime < 2000;
        document.title = JSON.stringify(seen);
      }, 1500);
    }, 500));</script></body>"""
    path = folder / "report.html"
    path.write_text(page.replace("</body>", probe))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,6000"]
    command += ["--virtual-time-budget=15000", "--enable-logging=stderr", "--dump-dom", path.as_uri()]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", ended.stdout)
    assert title, ended.stderr[-2000:]
    seen = json.loads(title[1].replace("&quot;", '"'))
    expected = {
        "left": 1,
        "focused": True,
        "sorted": "descending",
        "unnamed": 0,
        "charts": True,
        "hover": True,
        "painted": True,
    }
    assert seen == expected
    assert "CONSOLE" not in ended.stderr


def test_slices(folder: Path) -> None:
    assert "no record of this board says what its test images are like" in report(folder / "results", folder / "runs")
    named = next((n, r) for n, r in store.read_all(folder / "results") if (r.spec.model, r.spec.seed) == ("unet", 0))
    table = store.read_images(folder / "results" / named[0])
    table["image/mask_area"] = [0.01 * (index % 8) for index in range(len(table["sample"]))]
    for suffix in (".json", ".images.csv"):
        (folder / "results" / named[0]).with_suffix(suffix).unlink()
    store.write(folder / "results", named[1], table)
    page = report(folder / "results", folder / "runs")
    rows = re.findall(r'<td class="text">mask area</td><td class="text">(.*?)</td><td>(\d+)</td>', page)
    assert sum(int(count) for _, count in rows[:4]) == len(table["sample"])
