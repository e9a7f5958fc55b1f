"""The page holds every figure of the profile, escapes what others wrote, loads nothing, and draws what was measured."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from bench.core.protocol import find_protocol
from bench.profile.profile import Profile, profile
from bench.profile.training import StepRunner
from bench.profile.windows.interval import Interval
from bench.report.blocks import pass_of
from bench.report.html.profile_page import (
    MOST_STEPS,
    WHOLE,
    memory_figure,
    profile_page,
    step_figure,
    timeline_figure,
)
from bench.timing.ledger import STEP, TimelineEntry
from bench.train.assemble import make_run
from tests.bench.rectangles import Rectangles

Measured = tuple[Profile, list[TimelineEntry]]


@pytest.fixture(scope="module")
def measured() -> Measured:
    protocol = find_protocol("quick").override(batch=4, size=32)
    run = make_run("unet[width=4]", "bce_ssim", protocol, Rectangles().describe())
    runner = StepRunner(run, Rectangles(), torch.device("cpu"))
    runner.ledger.min_steps = 3
    return profile(runner, 0.05, restarts=1)


@pytest.fixture(scope="module")
def page(measured: Measured) -> str:
    return profile_page(*measured)


def bare(page: str) -> str:
    """Without plotly.js, which holds all sorts of words."""
    return re.sub(r"<script>.{1000000,}?</script>", "", page, count=1, flags=re.DOTALL)


def body_rows(page: str) -> list[list[str]]:
    table = page[page.index('id="blocks"') : page.index("</table>")]
    rows = table[table.index("<tbody>") :].split("</tr>")[:-1]
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("data_wait", "data"),
        ("h2d", "data"),
        ("augment", "data"),
        ("forward/up0", "forward"),
        ("forward", "forward"),
        ("loss/mask.bce", "loss"),
        ("loss backward", "backward"),
        ("backward/up0", "backward"),
        ("optimizer", "optimizer"),
        ("unattributed", "unattributed"),
        ("mine", "other"),
    ],
)
def test_every_block_has_a_pass(block: str, expected: str) -> None:
    assert pass_of(block) == expected


def test_table_holds_every_block_with_its_figures(measured: Measured, page: str) -> None:
    found, _ = measured
    rows = body_rows(page)
    assert [row[0] for row in rows] == [block.name for block in found.blocks]
    assert [row[1] for row in rows] == [f"{block.time.median_ms:.3f}" for block in found.blocks]
    assert len({len(row) for row in rows}) == 1 and len(rows[0]) == page[: page.index("<tbody>")].count("<button")


def test_headline_and_verdict(measured: Measured, page: str) -> None:
    found, intervals = measured
    text = bare(page)
    assert found.spec.model in text and found.spec.recipe in text and found.environment.label in text
    assert f"{found.step_ms.value:.2f} ms" in text and f"{found.parameters:,}" in text
    good = bare(profile_page(found.model_copy(update={"caveats": ()}), intervals))
    bad = bare(profile_page(found.model_copy(update={"caveats": ("the moon was full",)}), intervals))
    assert "<strong>Trustworthy" in good and "Not trustworthy" not in good
    assert "Not trustworthy" in bad and "<li>the moon was full</li>" in bad


def test_what_others_named_is_escaped(measured: Measured) -> None:
    found, intervals = measured
    evil = "</script><script>alert(1)</script><img src=x>"
    blocks = (found.blocks[0].model_copy(update={"name": evil}), *found.blocks[1:])
    spec = found.spec.model_copy(update={"model": evil, "recipe": evil})
    changed = found.model_copy(update={"blocks": blocks, "spec": spec, "caveats": (evil,)})
    text = bare(profile_page(changed, [TimelineEntry(s.step, evil, s.begin_ms, s.length_ms) for s in intervals]))
    assert "alert(1)" in text
    assert "<script>alert" not in text and "<img" not in text


class Outside(HTMLParser):
    """Collects whatever an element would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attributes if name in ("src", "href", "srcset", "action")]


def test_nothing_is_loaded(page: str) -> None:
    outside = Outside()
    outside.feed(page)
    assert outside.found == []
    assert "default-src 'none'" in page and "@import" not in bare(page) and "url(" not in bare(page)


def test_plotly_is_inlined_once(page: str) -> None:
    assert 4_000_000 < len(page) < 6_000_000
    assert len(re.findall(r"<script>.{1000000,}?</script>", page, flags=re.DOTALL)) == 1


def test_figures_are_what_plotly_takes(measured: Measured) -> None:
    from plotly.graph_objects import Figure

    found, intervals = measured
    for figure in (step_figure(found), timeline_figure(found, intervals), memory_figure(found)):
        assert len(Figure(figure).data) == len(figure["data"]) > 3


def test_bars_add_up_to_the_blocks(measured: Measured) -> None:
    found, _ = measured
    figure = step_figure(found)
    lengths: dict[str, float] = {}
    for trace in figure["data"]:
        for row, length in zip(trace["y"], trace["x"], strict=True):
            lengths[row] = lengths.get(row, 0.0) + length
    whole = lengths.pop(WHOLE)
    assert whole == pytest.approx(sum(max(0.0, block.time.median_ms) for block in found.blocks))
    assert sum(lengths.values()) == pytest.approx(whole)
    assert figure["layout"]["yaxis"]["categoryarray"] == [WHOLE, *lengths]


def test_hover_says_time_share_interval_and_ceiling(measured: Measured) -> None:
    found, _ = measured
    block = found.blocks[3].model_copy(
        update={"median_ms": Interval(value=2.0, low=1.25, high=3.5), "of_ceiling": 0.625}
    )
    hover = step_figure(found.model_copy(update={"blocks": (block,)}))["data"][0]["hovertemplate"]
    assert f"{block.time.median_ms:.3f} ms, {block.time.share:.1%} of the step" in hover
    assert "1.250 to 3.500 ms" in hover and "62% of this machine's ceiling" in hover


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
_EYES = {
    "ordinary": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colours: list[str]) -> np.ndarray:
    value = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("eye", _EYES)
def test_any_eye_tells_the_passes_apart(measured: Measured, eye: str) -> None:
    traces = step_figure(measured[0])["data"]
    passes = np.array([trace["y"][1] for trace in traces])
    perceived = np.clip(linear([trace["marker"]["color"] for trace in traces]) @ np.array(_EYES[eye]).T, 0, 1)
    lab = rgb2lab(np.where(perceived <= 0.0031308, 12.92 * perceived, 1.055 * perceived ** (1 / 2.4) - 0.055))
    apart = deltaE_ciede2000(lab[:, None], lab[None])
    assert apart[passes[:, None] != passes[None]].min() > 8, "2 to 3 is just noticeable, side by side"


def test_names_in_bars_are_readable(measured: Measured) -> None:
    for trace in step_figure(measured[0])["data"]:
        text = trace["textfont"]["color"]
        full = text if len(text) == 7 else "#" + "".join(2 * digit for digit in text[1:])
        dark, light = sorted(linear([full, trace["marker"]["color"]]) @ [0.2126, 0.7152, 0.0722])
        assert (light + 0.05) / (dark + 0.05) > 4


def test_time_line_starts_each_step_at_nought(measured: Measured) -> None:
    found, _ = measured
    name = found.blocks[0].name
    intervals = [
        TimelineEntry(step, block, 100.0 * step + at, length)
        for step in range(MOST_STEPS + 3)
        for block, at, length in ((STEP, 0.0, 90.0), (name, 5.0, 30.0 + step))
    ]
    (trace,) = timeline_figure(found, intervals)["data"]
    assert trace["y"] == [*range(MOST_STEPS)]
    assert trace["base"] == pytest.approx([5.0] * MOST_STEPS)
    assert trace["x"] == pytest.approx([30.0 + step for step in range(MOST_STEPS)])
    assert f"its first {MOST_STEPS} of {MOST_STEPS + 3} steps" in profile_page(found, intervals)


def test_without_a_window_there_is_no_time_line(measured: Measured) -> None:
    assert 'id="timeline"' not in profile_page(measured[0], [])


_BROWSER = """
const rows = VALUES.map(value => ({cells: [{dataset: {}}, {dataset: value === null ? {} : {value}}], value}));
const heading = () => ({listeners: [], attributes: {}, addEventListener(_, f) { this.click = f; },
  getAttribute(n) { return this.attributes[n] ?? null; }, hasAttribute(n) { return n in this.attributes; },
  setAttribute(n, v) { this.attributes[n] = v; }, removeAttribute(n) { delete this.attributes[n]; }});
const head = [heading(), heading()];
const body = {rows, append(...sorted) { this.rows = sorted; }};
const drawn = [];
globalThis.document = {documentElement: {}, getElementById: id =>
  id === "figures" ? {textContent: FIGURES} : {tHead: {rows: [{cells: head}]}, tBodies: [body]}};
globalThis.getComputedStyle = () => ({getPropertyValue: name => " " + name});
globalThis.matchMedia = () => ({addEventListener() {}});
globalThis.Plotly = {newPlot: (id, data, layout) => drawn.push([id, data.length, layout.font.color])};
SCRIPT
head[1].click(); const down = body.rows.map(row => row.value);
head[1].click(); const up = body.rows.map(row => row.value);
console.log(JSON.stringify({drawn, down, up, sort: head[1].attributes["aria-sort"]}));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")
def test_script_draws_every_figure_and_sorts(page: str) -> None:
    script = page[page.rindex("<script>") + len("<script>") : page.rindex("</script>")]
    figures = re.search(r'id="figures">(.*?)</script>', page, flags=re.DOTALL)
    assert figures is not None
    program = (
        _BROWSER.replace("VALUES", "[2.5, null, 10, -1]")
        .replace("FIGURES", json.dumps(figures[1]))
        .replace("SCRIPT", script)
    )
    ran = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=True)
    shown = json.loads(ran.stdout)
    counts = {name: len(figure["data"]) for name, figure in json.loads(figures[1]).items()}
    assert {name: count for name, count, _ in shown["drawn"]} == counts
    assert {colour for _, _, colour in shown["drawn"]} == {"--ink"}
    assert shown["down"] == [10, 2.5, -1, None] and shown["up"] == [None, -1, 2.5, 10]
    assert shown["sort"] == "ascending"
    assert all(f'<div class="figure" id="{name}">' in page for name in counts)
