"""The report in a real browser: every control by keyboard, contrast, print, narrow windows."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.core.record import Epoch, Load
from bench.report.html.explore.page import report
from bench.results import store
from tests.bench.records import ENVIRONMENT, record
from tests.bench.report.html.browser import Browser
from tests.bench.results_folder import keep

pytestmark = pytest.mark.extra

FOCUSABLE = "a[href], button, select, summary, [tabindex='0']"
ROWS = "[...document.querySelectorAll('.board:not([hidden]) table.ranking tbody tr')].filter(row => !row.hidden)"
FILTERS = ("model", "loss", "precision", "machine")
CHARTS = ("cost", "grid", "curves", "time", "images")


def epochs(best: float) -> list[Epoch]:
    return [
        Epoch(
            epoch=number,
            size=64,
            learning_rate=1e-3,
            train_loss={"total": 1 / number},
            val_loss={"total": 1.1 / number},
            val_metrics={"mask_dice": best * number / 3},
        )
        for number in (1, 2, 3)
    ]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two boards; on the first, several models, losses and precisions, and a baseline."""
    folder = tmp_path_factory.mktemp("browser")
    results = folder / "results"
    for seed in range(3):
        keep(results, 0.80 + 0.01 * seed, seed, model="unet", epochs=epochs(0.80))
        keep(results, 0.84 + 0.005 * seed, seed, model="wnet[width=8]", epochs=epochs(0.84))
        keep(results, 0.70 + 0.01 * seed, seed, model="wnet[width=8]", recipe="mask: bce", recipe_name="bce")
    keep(results, 0.78, 0, model="unet", precision="bfloat16", epochs=epochs(0.78))
    keep(results, 0.3, 0, model="difference", recipe="")
    keep(results, 0.9, 0, model="unet", data={"kind": "synthetic", "camera": "still"})
    store.write(results, record("resnet_unet", outcome="diverged", reason="became NaN"), {})
    path = folder / "report.html"
    path.write_text(report(results, folder / "runs"))
    return path


@pytest.fixture(scope="module")
def shared_browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser, page: Path) -> Browser:
    """The page just opened, in a light window of 1200 by 900."""
    shared_browser.media("light")
    shared_browser.resize(1200, 900)
    shared_browser.open(page)
    shared_browser.run("drawAll()")
    return shared_browser


def test_it_opens_without_a_message_or_a_request(shared_browser: Browser, page: Path) -> None:
    shared_browser.open(page)
    shared_browser.wait("performance.getEntriesByName('first-contentful-paint').length > 0")
    drawn_once_in_view = shared_browser.run("document.querySelectorAll('#c-images .main-svg').length")
    assert drawn_once_in_view == 0
    shared_browser.run("drawAll()")
    for chart in CHARTS:
        assert shared_browser.run(f"document.querySelectorAll('#c-{chart} .main-svg').length") > 0
    shared_browser.run("Plotly.Fx.hover('c-cost', [{curveNumber: 0, pointNumber: 0}])")
    assert shared_browser.run("document.querySelectorAll('#c-cost .hoverlayer .hovertext').length") == 1
    assert shared_browser.messages == []
    assert shared_browser.requests == []


def test_everything_that_acts_has_a_name(browser: Browser) -> None:
    named = "e => e.textContent.trim() || e.ariaLabel || e.labels?.length"
    assert browser.run(f"[...document.querySelectorAll({json.dumps(FOCUSABLE)})].every({named})")
    assert browser.run("document.querySelectorAll('img:not([alt]), [role=img]:not([aria-label])').length") == 0


def test_the_tab_key_reaches_everything_in_order_and_shows_where_it_is(browser: Browser) -> None:
    browser.run(
        f"""window.reached = [];
        window.expected = [...document.querySelectorAll({json.dumps(FOCUSABLE)})].filter(e => e.checkVisibility());"""
    )
    count = browser.run("expected.length")
    assert count > 40
    for place in range(count):
        browser.press("Tab")
        found = browser.run(
            f"""(() => {{
              const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
              const [x, y] = [box.left + Math.min(8, box.width / 2), box.top + Math.min(8, box.height / 2)];
              const top = document.elementFromPoint(x, y);
              return {{
                expected: at === expected[{place}], what: at.outerHTML.slice(0, 90),
                outlined: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
                uncovered: top !== null && (at.contains(top) || top.contains(at)),
              }};
            }})()"""
        )
        assert found == {"expected": True, "what": found["what"], "outlined": True, "uncovered": True}, place
    browser.press("Tab", shift=True)
    assert browser.run(f"document.activeElement === expected[{count - 2}]")


def test_the_link_past_the_filters(browser: Browser) -> None:
    browser.press("Tab")
    browser.press("Enter")
    browser.wait("location.hash === '#ranking'")
    top = "document.getElementById('ranking').getBoundingClientRect().top"
    browser.wait(f"{top} >= 0 && {top} < 300")


@pytest.mark.parametrize("section", ["cost", "grid", "curves", "time", "images", "slices", "side", "machines"])
def test_a_link_to_a_section(browser: Browser, section: str) -> None:
    browser.run(f"document.querySelector('nav a[href=\"#{section}\"]').focus()")
    browser.press("Enter")
    browser.wait(f"location.hash === '#{section}'")
    heading = f"document.getElementById('h-{section}').getBoundingClientRect()"
    browser.wait(f"{heading}.top >= 0 && {heading}.bottom <= innerHeight")
    assert browser.run(f"document.querySelector('form').getBoundingClientRect().bottom <= {heading}.top")


@pytest.mark.parametrize("key", FILTERS)
def test_a_filter(browser: Browser, key: str) -> None:
    everything = browser.run(f"{ROWS}.length")
    browser.run(f"pick('{key}').focus()")
    browser.press("ArrowDown")
    chosen = browser.run(f"pick('{key}').value")
    assert chosen
    left = browser.run(f"{ROWS}.map(row => row.dataset.{key})")
    assert left and set(left) == {chosen}
    assert len(left) < everything or key == "machine"  # of a single machine
    rows = browser.run("shown().length")
    assert browser.run("document.getElementById('count').value") == f"{rows} rows shown"
    if key == "model":
        names = browser.run("document.getElementById('c-cost').data.map(trace => trace.name)")
        assert names == [*([chosen] if chosen != "difference" else []), "Pareto front"]
    browser.press("ArrowUp")
    assert browser.run(f"pick('{key}').value") == ""
    assert browser.run(f"{ROWS}.length") == everything


@pytest.mark.parametrize("way", ["Escape", "Enter", " "])
def test_filters_are_reset(browser: Browser, way: str) -> None:
    everything = browser.run(f"{ROWS}.length")
    for key in ("model", "loss"):
        browser.run(f"pick('{key}').focus()")
        browser.press("ArrowDown")
    assert browser.run(f"{ROWS}.length") < everything
    if way != "Escape":
        browser.run("document.getElementById('reset').focus()")
    browser.press(way)
    assert browser.run(f"[{ROWS}.length, pick('model').value, pick('loss').value]") == [everything, "", ""]


def test_the_board(browser: Browser) -> None:
    browser.run("pick('board').focus()")
    browser.press("ArrowDown")
    assert browser.run("[...document.querySelectorAll('#ranking .board')].map(board => board.hidden)") == [True, False]
    assert browser.run(f"{ROWS}.map(row => row.dataset.model)") == ["unet", "unet"]  # in the tables of mask and depth


@pytest.mark.parametrize(
    ("select", "title"),
    [
        ("metric", "document.getElementById('c-cost').layout.yaxis.title.text"),
        ("cost", "document.getElementById('c-cost').layout.xaxis.title.text"),
        ("curve", "document.getElementById('c-curves').layout.yaxis.title.text"),
    ],
)
def test_what_a_chart_shows(browser: Browser, select: str, title: str) -> None:
    before = browser.run(title)
    browser.run(f"pick('{select}').focus()")
    browser.press("ArrowDown")
    after = browser.run(title)
    assert after != before
    assert after == browser.run(f"pick('{select}').selectedOptions[0].textContent")


def test_a_front_is_of_one_machine_and_a_cost_is_one_that_rows_have(shared_browser: Browser, tmp_path: Path) -> None:
    results = tmp_path / "results"
    slow = ENVIRONMENT.model_copy(update={"device": "Another processor"})
    keep(results, 0.8, model="unet")
    keep(results, 0.7, model="masknet")
    keep(results, 0.6, model="wnet", environment=slow, fingerprint="another")
    beside = Load(windows=4, disturbed=0, shared=2)
    keep(results, 0.9, model="unet", data={"kind": "synthetic", "camera": "still"}, load=beside)
    (tmp_path / "report.html").write_text(report(results, tmp_path / "runs"))
    shared_browser.open(tmp_path / "report.html")
    shared_browser.run("drawAll()")
    front = "document.getElementById('c-cost').data.at(-1).y"
    machines = shared_browser.run("[...new Set(lines.map(line => line.machine))].length")
    assert machines == 2
    assert {*shared_browser.run(front)} == {0.8, 0.6, None}  # of the slow machine its own best
    shared_browser.run("pick('cost').value = 'parameters'; charts.cost()")
    assert 0.6 not in shared_browser.run(front)
    shared_browser.run(
        "pick('board').selectedIndex = 1 - pick('board').selectedIndex; pick('cost').value = 'step_ms'; update()"
    )
    assert shared_browser.run("pick('cost').value") == "parameters"
    assert shared_browser.run("pick('cost').options[0].disabled")
    assert shared_browser.run("document.getElementById('c-time').layout.annotations[0].text").startswith("No row")


def test_times_on_a_busy_machine_have_open_marks_and_brackets_and_no_front_beside_others(
    shared_browser: Browser, tmp_path: Path
) -> None:
    results, busy = tmp_path / "results", Load(windows=4, disturbed=4, marked=True)
    keep(results, 0.8, model="unet")
    keep(results, 0.9, model="masknet", load=busy)
    only_busy = {"kind": "synthetic", "camera": "still"}
    keep(results, 0.9, model="unet", data=only_busy, load=busy)
    (tmp_path / "report.html").write_text(report(results, tmp_path / "runs"))
    shared_browser.open(tmp_path / "report.html")
    shared_browser.run("drawAll()")
    if shared_browser.run("new Set(shown().map(line => line.model)).size") == 1:
        shared_browser.run("pick('board').selectedIndex = 1 - pick('board').selectedIndex; boardChanged()")
    plot = "document.getElementById('c-cost').data"
    symbols = (
        f"Object.fromEntries({plot}.slice(0, -1).map(trace => [trace.name, trace.marker.symbol[0].endsWith('-open')]))"
    )
    cells = "[...document.querySelectorAll('#d-{} tbody tr')].map(row => row.cells[1].textContent)"
    assert shared_browser.run(symbols) == {"unet": False, "masknet": True}
    assert shared_browser.run(f"{plot}.at(-1).y") == [0.8, None]
    assert {*shared_browser.run(cells.format("cost"))} == {"320", "(320)"}
    assert {*shared_browser.run(cells.format("time"))} == {"100", "(100)"}
    shared_browser.run("pick('cost').value = 'parameters'; charts.cost()")
    assert not any(shared_browser.run(symbols).values())
    shared_browser.run(
        "pick('board').selectedIndex = 1 - pick('board').selectedIndex; pick('cost').value = 'step_ms'; boardChanged()"
    )
    assert shared_browser.run(symbols) == {"unet": True}
    assert shared_browser.run(f"{plot}.at(-1).y") == [0.9, None]


def test_many_rows_can_be_told_apart(shared_browser: Browser, tmp_path: Path) -> None:
    """By colour with shape, and by colour with dashes; in the legend, too, where precision alone tells two rows."""
    results, count = tmp_path / "results", 30
    for width in range(1, count):
        keep(results, 0.5 + width / 100, model=f"unet[width={8 * width}]", epochs=epochs(0.5 + width / 100))
    keep(results, 0.51, model="unet[width=8]", precision="bfloat16", epochs=epochs(0.51))
    (tmp_path / "report.html").write_text(report(results, tmp_path / "runs"))
    shared_browser.open(tmp_path / "report.html")
    shared_browser.run("drawAll()")
    looks = "[...new Set(document.getElementById('{}').data.filter(t => t.mode !== 'lines').map(t => {}))].length"
    for look in ("t.name", "t.marker.color + t.marker.symbol", "t.line.color + t.line.dash"):
        assert shared_browser.run(looks.format("c-curves", look)) == count, look
    assert shared_browser.run(looks.format("c-cost", "t.marker.color + t.marker.symbol[0]")) == count - 1


KNOWN = """(head => [...head.closest("table").tBodies[0].rows].map(row => row.cells[head.cellIndex])
  .filter(cell => cell.dataset.value !== undefined || cell.className === "text")
  .map(cell => cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value)))"""


def test_every_column_is_sorted_by_enter_and_space(browser: Browser) -> None:
    heads = "document.querySelectorAll('.board:not([hidden]) table.ranking thead button')"
    for place in range(browser.run(f"{heads}.length")):
        head = f"{heads}[{place}].closest('th')"
        browser.run(f"{heads}[{place}].focus()")
        for key, direction in (("Enter", "descending"), (" ", "ascending")):
            browser.press(key)
            assert browser.run(f"{head}.getAttribute('aria-sort')") == direction
            known = browser.run(f"{KNOWN}({head})")
            assert len(known) > 1
            ordered = sorted(known, key=str.casefold if isinstance(known[0], str) else None, reverse=key == "Enter")
            assert known == ordered
        assert browser.run(f"{head}.parentElement.querySelectorAll('[aria-sort]').length") == 1


@pytest.mark.parametrize("chart", CHARTS)
def test_a_charts_figures_as_a_table(browser: Browser, chart: str) -> None:
    browser.run(f"document.querySelector('#d-{chart} summary').focus()")
    browser.press("Enter")
    browser.wait(f"document.getElementById('d-{chart}').open")
    cells = browser.run(f"[...document.querySelectorAll('#d-{chart} tbody tr')].map(row => row.cells.length)")
    assert cells and len(set(cells)) == 1
    assert cells[0] == browser.run(f"document.querySelectorAll('#d-{chart} thead th').length") > 1
    browser.press("Enter")
    browser.wait(f"!document.getElementById('d-{chart}').open")


def test_a_wide_table_is_scrolled_by_keyboard(browser: Browser) -> None:
    browser.resize(390, 800)
    browser.run("document.querySelector('#ranking .scroll').focus()")
    browser.press_until("ArrowRight", "document.querySelector('#ranking .scroll').scrollLeft > 0")
    browser.wait("document.documentElement.scrollWidth <= innerWidth")  # plotly answers to a new size a moment later


@pytest.mark.parametrize("width", [390, 1200, 1900])
def test_nothing_lies_over_a_chart(browser: Browser, width: int) -> None:
    browser.resize(width, 900)
    for chart in CHARTS:  # plotly answers to a new size a moment later
        browser.wait(
            f"document.querySelector('#{chart} figcaption').getBoundingClientRect().top >= "
            f"document.querySelector('#c-{chart} .main-svg').getBoundingClientRect().bottom - 1"
        )


CONTRAST = (Path(__file__).parents[1] / "contrast.js").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: Browser, scheme: str) -> None:
    """WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for marks, outlines and borders of controls."""
    browser.media(scheme)
    browser.run("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    browser.run("drawAll()")
    found = browser.run(CONTRAST)
    assert found["count"] > 200 and found["drawn"] > 30
    assert found["faint"] == []
    assert min(found["heat"]) >= 4.5
    assert min(found["marks"]) >= 3


def test_it_prints_dark_on_white_and_cuts_nothing(browser: Browser) -> None:
    browser.media("dark")
    assert browser.pdf().startswith(b"%PDF")
    browser.media("dark", "print")
    browser.resize(1017, 700)  # what A4 leaves between margins of 12 mm, across
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("getComputedStyle(document.documentElement).getPropertyValue('--paper')").strip() == "#fff"
    assert browser.run("document.getElementById('c-cost').layout.font.color") == "#1d2127"
    browser.wait("document.documentElement.scrollWidth <= innerWidth")  # plotly answers to a new size a moment later
    cut = "e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1"
    assert not browser.run(f"[...document.querySelectorAll('th, td, p, figcaption')].some({cut})")
    assert not browser.run("document.querySelector('form').checkVisibility()")
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run("'print' in document.documentElement.dataset") is False
