"""The README's excerpt, and all pages together."""

from pathlib import Path

from bench.core.record import Load
from bench.report.legend import TIES
from bench.report.markdown.excerpt import MARKER, excerpt, put
from bench.report.markdown.leaderboard import leaderboard
from bench.report.pages import pages
from bench.results import store
from tests.bench.records import done_in, record
from tests.bench.results_folder import keep

BEGIN, END = f"<!-- {MARKER} -->\n", f"<!-- /{MARKER} -->\n"


def test_the_excerpt_stands_between_its_markers_and_replaces_an_old_one() -> None:
    page = f"# Title\n{BEGIN}old\n{END}after\n"
    text = put(page, [("a.json", record()), ("b.json", record("constant", recipe="", dice=0.0))])
    assert text.startswith(f"# Title\n{BEGIN}*quick v1")
    assert text.endswith(f"{END}after\n")
    assert "old" not in text
    assert "| · | `unet` | `bce_ssim` | float32 | 1 | 0.8000 <sub>+0.80</sub> |" in text
    assert put(text, [("a.json", record()), ("b.json", record("constant", recipe="", dice=0.0))]) == text


def test_below_it_stands_why_rows_are_not_ranked(tmp_path: Path) -> None:
    for seed in range(2):
        keep(tmp_path, 0.8, seed)
        keep(tmp_path, 0.7, seed, model="wnet")
    sound = excerpt(store.read_all(tmp_path), tmp_path)
    assert TIES in sound.replace("`bench compare`", "bench compare") and "is not ranked" not in sound
    next(tmp_path.glob(f"wnet*{store.IMAGES}")).unlink()
    keep(tmp_path, 0.9, 0, model="masknet")
    text = excerpt(store.read_all(tmp_path), tmp_path)
    assert "· is not ranked: a missing or damaged per-image table, a single seed." in text


def test_a_rate_that_is_not_known_is_explained() -> None:
    beside = record("wnet").model_copy(update={"load": Load(windows=2, disturbed=0, shared=2)})
    timed = [("a.json", record(timings=record().timings.model_copy(update={"images_per_second": 130.0})))]
    said = "– for images/s: every run shared its device with others"
    assert said in excerpt([*timed, ("b.json", beside)])
    assert said not in excerpt(timed)


def test_a_model_in_two_precisions_is_told_apart() -> None:
    text = put(f"{BEGIN}{END}", [("a.json", record()), ("b.json", done_in("bfloat16")), ("c.json", record("wnet"))])
    rows = [tuple(line.split(" | ")[i] for i in (1, 3)) for line in text.splitlines() if " | `" in line]
    assert sorted(rows) == [("`unet`", "bfloat16"), ("`unet`", "float32"), ("`wnet`", "float32")]


def test_a_rate_is_the_leaderboards() -> None:
    timings = [record().timings.model_copy(update={"images_per_second": rate}) for rate in (120.0, 130.0, 150.0)]
    records = [(f"{seed}.json", record(seed=seed, timings=timing)) for seed, timing in enumerate(timings)]
    assert "| 130 |" in put(f"{BEGIN}{END}", records)
    assert "| 130 |" in leaderboard(records)


def test_rates_are_those_of_the_machine_on_which_most_models_were_timed() -> None:
    """The leader may have been run beside others, for its quality alone."""
    other = record().environment.model_copy(update={"device": "Other Processor"})
    timings = record().timings.model_copy(update={"images_per_second": 130.0})
    beside = Load(windows=2, disturbed=0, shared=2)
    leader = record(dice=0.9).model_copy(update={"environment": other, "fingerprint": "other", "load": beside})
    rest = [(f"{model}.json", record(model, dice=0.5, timings=timings)) for model in ("wnet", "masknet")]
    text = put(f"{BEGIN}{END}", [("a.json", leader), *rest])
    assert "Other Processor" not in text
    assert text.count("| 130 |") == 2


def test_of_many_rows_each_models_best_and_the_timed_are_shown() -> None:
    beside = Load(windows=2, disturbed=0, shared=2)  # for its quality alone: no time counts
    losses = [f"mask: bce, depth: {weight}*l1" for weight in range(2, 15)]
    many = [
        (f"{model}{i}.json", record(model, loss, dice=0.5 + 0.01 * i).model_copy(update={"load": beside}))
        for model in ("unet", "wnet")
        for i, loss in enumerate(losses)
    ]
    timings = record().timings.model_copy(update={"images_per_second": 130.0})
    timed = [("t.json", record("wnet", dice=0.4, timings=timings)), ("c.json", record("constant", recipe="", dice=0.0))]
    text = put(f"{BEGIN}{END}", [*many, *timed])
    rows = [line.split(" | ")[1:3] for line in text.splitlines() if " | `" in line]
    best = ["`unet`", "`mask: bce, depth: 14*l1`"]
    assert rows == [best, ["`wnet`", best[1]], ["`wnet`", "`bce_ssim`"], ["`constant`", "(learns nothing)"]]
    assert "the best row of each model and those that were timed, of 28 in all*" in text
    few = put(f"{BEGIN}{END}", [*many[:12], *timed])
    assert few.count(" | `") == 2 * 14 - 1 and "the best row" not in few


def test_line_endings_stay_what_they_are() -> None:
    text = put(f"a\n{BEGIN}{END}b\n".replace("\n", "\r\n"), [("a.json", record())])
    assert text.count("\n") == text.count("\r\n") > 5


def test_a_page_without_markers_is_left_alone() -> None:
    assert put("no markers", [("a.json", record())]) == "no markers"


def test_links_lead_from_the_page_to_the_records(tmp_path: Path) -> None:
    store.write(tmp_path / "deep" / "results", record(), {})
    made = pages(tmp_path / "deep" / "results", tmp_path / "board.md")
    assert "(deep/results/unet_" in made[tmp_path / "board.md"]
    assert set(made) == {tmp_path / "board.md", tmp_path / "deep" / "results" / store.SCHEMA}
