"""The leaderboard: a pure function of the records, fair about ties of name, failures and baselines."""

import random

from bench.core.record import Record, Score
from bench.report.leaderboard import leaderboard
from tests.bench.records import ENVIRONMENT, record

BASELINES = [
    ("b1.json", record("difference", recipe="", dice=0.4, rmse=None)),
    ("b2.json", record("constant", recipe="", dice=0.0, rmse=0.1)),
]


def line(page: str, start: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(start))


def test_same_records_same_bytes_in_any_order() -> None:
    records = [(f"r{i}.json", record(seed=i, dice=0.5 + i / 100)) for i in range(9)] + BASELINES
    shuffled = random.Random(0).sample(records, len(records))
    assert leaderboard(records) == leaderboard(shuffled)


def test_seeds_make_a_mean_and_a_spread_and_skill_stands_beside() -> None:
    records = [(f"r{i}.json", record(seed=i, dice=dice)) for i, dice in enumerate((0.7, 0.8, 0.9))]
    row = line(leaderboard(records + BASELINES), "| `unet`")
    assert "| 3 |" in row
    assert "**0.8000** ± 0.1000" in row
    assert "<sub>+0.67</sub>" in row  # (0.8 - 0.4) / (1 - 0.4)
    assert "[0](results/r0.json) [1](results/r1.json) [2](results/r2.json)" in row


def test_best_is_marked_by_direction() -> None:
    page = leaderboard([("a.json", record("unet", rmse=0.05)), ("b.json", record("wnet", dice=0.9, rmse=0.06))])
    mask, depth = page.split("### Depth")
    assert "**0.9000**" in line(mask, "| `wnet`")
    assert "**" not in line(mask, "| `unet`")
    assert "**0.0500**" in line(depth, "| `unet`")


def test_the_latest_record_of_a_run_counts() -> None:
    old = ("a.json", record(dice=0.1, started="2026-01-01T00:00:00+00:00"))
    new = ("b.json", record(dice=0.2, started="2026-01-02T00:00:00+00:00"))
    page = leaderboard([new, old])
    assert "0.2000" in page
    assert "0.1000" not in page


def test_failures_are_listed_with_their_reason() -> None:
    page = leaderboard([("a.json", record()), ("f.json", record("wnet", outcome="diverged"))])
    row = line(page.split("### Failed")[1], "| `wnet`")
    assert "diverged" in row
    assert "became NaN \\| at step 3" in row


def test_data_sets_and_encodings_are_never_ranked_together() -> None:
    other = {"kind": "composed", "camera": "still", "encoding": "inverse", "leaks": True}
    page = leaderboard([("a.json", record()), ("b.json", record(data=other))])
    assert page.count("## quick v1") == 2
    assert "leaking shared split" in page


def test_costs_sum_the_terms_of_a_block() -> None:
    row = line(leaderboard([("a.json", record())]).split("### Cost")[1], "| `unet`")
    assert "| 5.0 |" in row  # loss/mask.bce + loss/depth.ssim


def test_no_records_says_how_to_make_one() -> None:
    assert "bench run" in leaderboard([])


def test_a_failure_that_was_made_good_is_no_longer_listed() -> None:
    failed = ("a.json", record(outcome="oom"))
    assert "### Failed" in leaderboard([failed])
    assert "### Failed" not in leaderboard([failed, ("b.json", record())])


def test_each_machine_keeps_its_costs() -> None:
    fast = ENVIRONMENT.model_copy(update={"device": "A fast one"})
    there = record(started="2026-01-02T00:00:00+00:00", environment=fast, fingerprint=fast.fingerprint)
    page = leaderboard([("a.json", record()), ("b.json", there)])
    assert page.count("### Cost on") == 2
    assert "A fast one" in page


def test_one_task_does_not_outrank_two() -> None:
    page = leaderboard([("a.json", record("mask_only", dice=0.99, rmse=None)), ("b.json", two_tasks("both", 0.5))])
    assert page.index("| `both`") < page.index("| `mask_only`")


def two_tasks(model: str, value: float) -> Record:
    scores = {name: Score(value=value, images=9) for name in ("mask_dice", "depth_delta1")}
    return record(model, test=scores)


def test_seeds_of_different_code_are_marked() -> None:
    page = leaderboard([("a.json", record()), ("b.json", record(seed=1, code="1" * 12))])
    assert "| 2† |" in page
    assert "| 2 |" in leaderboard([("a.json", record()), ("b.json", record(seed=1))])


def done_in(precision: str, memory_format: str = "channels_last", **facts: object) -> Record:
    """A record whose spec was trained in that precision and memory format."""
    made = record(**facts)
    spec = made.spec.model_copy(update={"precision": precision, "memory_format": memory_format})
    return made.model_copy(update={"spec": spec, "id": spec.id, "cell": spec.cell})


def test_precisions_and_memory_formats_never_share_a_row() -> None:
    forms = [("float32", "channels_last"), ("bfloat16", "channels_last"), ("bfloat16", "contiguous")]
    records = [(f"{i}{seed}.json", done_in(*form, seed=seed)) for i, form in enumerate(forms) for seed in (0, 1)]
    page = leaderboard(records)
    quality, costs = page.split("### Cost")
    for part in (quality.split("### Depth")[0], costs):
        shown = [row.split(" | ")[2] for row in part.splitlines() if row.startswith("| `unet`")]
        assert sorted(shown) == ["bfloat16", "bfloat16, contiguous", "float32"]
    assert page.count("| 2 |") == 2 * 3  # seeds, in the tables of mask and of depth
