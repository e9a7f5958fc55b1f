"""The leaderboard: a pure function of the records, fair about ties of name, failures and baselines."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.core.record import Load, Record
from bench.core.record.timings import HOST_BOUND
from bench.report.legend import TIES, UNRANKED
from bench.report.markdown.leaderboard import leaderboard
from bench.results import store
from tests.bench.records import ENVIRONMENT, block, done_in, record
from tests.bench.results_folder import keep

BASELINES = [
    ("b1.json", record("difference", recipe="", dice=0.4, rmse=None)),
    ("b2.json", record("constant", recipe="", dice=0.0, rmse=0.1)),
]


def line(page: str, model: str) -> str:
    """The first line of a table about that model."""
    return next(line for line in page.splitlines() if f"| `{model}` |" in line)


def board(folder: Path, *runs: tuple[str, Sequence[float]], **facts: object) -> str:
    """The page of some models, each with the mask Dice of its seeds, per-image metrics beside the records."""
    for model, values in runs:
        for seed, dice in enumerate(values):
            keep(folder, dice, seed, model=model, **facts)
    return leaderboard(store.read_all(folder), "results", folder)


def test_same_records_same_bytes_in_any_order() -> None:
    records = [(f"r{i}.json", record(seed=i, dice=0.5 + i / 100)) for i in range(9)] + BASELINES
    shuffled = random.Random(0).sample(records, len(records))
    assert leaderboard(records) == leaderboard(shuffled)


def test_seeds_make_a_mean_and_a_spread_and_skill_stands_beside() -> None:
    records = [(f"r{i}.json", record(seed=i, dice=dice)) for i, dice in enumerate((0.7, 0.8, 0.9))]
    row = line(leaderboard(records + BASELINES), "unet")
    assert "| 3 |" in row
    assert "0.8000 ± 0.1000" in row
    assert "<sub>+0.67</sub>" in row  # (0.8 - 0.4) / (1 - 0.4)
    page = leaderboard(records + BASELINES)
    assert "[0](results/r0.json) [1](results/r1.json) [2](results/r2.json)" in line(
        page.split("### Records")[1], "unet"
    )


def test_rows_stand_in_the_direction_of_the_metric_that_ranks(tmp_path: Path) -> None:
    page = board(tmp_path, ("unet", (0.7, 0.71)), ("wnet", (0.9, 0.91)))
    mask, depth = page.split("### Depth")
    for part in (mask, depth):  # depth_rmse is 1 - Dice
        assert part.index("| `wnet`") < part.index("| `unet`")


def test_what_cannot_be_told_from_the_leader_is_in_its_group_and_bold(tmp_path: Path) -> None:
    page = board(tmp_path, ("a", (0.80, 0.81, 0.79)), ("b", (0.79, 0.80, 0.81)), ("c", (0.50, 0.51, 0.49)))
    mask = page.split("### Depth")[0]
    tied = [line(mask, model) for model in ("a", "b")]
    assert all(row.startswith("| 1 |") and "**0.8000**" in row for row in tied)
    assert line(mask, "c").startswith("| 2 |")
    assert "**" not in line(mask, "c")


def test_a_single_seed_has_no_place_beside_several(tmp_path: Path) -> None:
    mask = board(tmp_path, ("once", (0.95,)), ("often", (0.80, 0.81))).split("### Depth")[0]
    assert mask.index("| `often`") < mask.index("| `once`")
    assert line(mask, "once").startswith("| · |")
    assert "**" not in line(mask, "once")
    assert "**0.8050**" in line(mask, "often")


def test_a_damaged_table_is_an_alarm_and_other_rows_keep_their_places(tmp_path: Path) -> None:
    runs = ("a", (0.80, 0.81, 0.79)), ("b", (0.70, 0.71, 0.69)), ("c", (0.50, 0.51, 0.49))
    board(tmp_path, *runs)
    table = next(tmp_path.glob(f"b_*{store.IMAGES}"))
    table.write_text(table.read_text()[:100])
    page = board(tmp_path)
    assert f"### Alarms\n\n- {table.name}: its checksum differs" in page
    mask = page.split("### Depth")[0]
    assert [line(mask, model)[2] for model in "abc"] == ["1", "·", "2"]


def test_the_legend_says_what_a_tie_and_a_dot_are() -> None:
    legend = " ".join(leaderboard([]).split("## How to read it")[1].split())
    assert TIES in legend.replace("`bench compare`", "bench compare") and UNRANKED in legend


def test_baselines_are_never_bold(tmp_path: Path) -> None:
    keep(tmp_path, 0.99, 0, model="difference", recipe="")
    mask = board(tmp_path, ("unet", (0.80, 0.81))).split("### Depth")[0]
    assert "**" not in line(mask, "difference")
    assert mask.index("| `unet`") < mask.index("| `difference`")


def test_of_one_code_and_arithmetic_the_first_record_stays_and_another_result_is_an_alarm() -> None:
    first = ("a.json", record(dice=0.1, started="2026-01-01T00:00:00+00:00"))
    second = ("b.json", record(dice=0.2, started="2026-01-02T00:00:00+00:00"))
    page = leaderboard([second, first])
    assert "0.1000" in line(page, "unet")
    assert "0.2000" not in page
    assert "b.json" in page.split("### Alarms")[1]
    assert "### Alarms" not in leaderboard([first, ("b.json", first[1])])


def test_the_newest_code_that_has_all_the_seeds_counts() -> None:
    old = [(f"o{seed}.json", record(seed=seed, dice=0.1, code="0" * 12)) for seed in (0, 1)]
    late = {"code": "1" * 12, "started": "2026-01-02T00:00:00+00:00"}
    part = ("n0.json", record(seed=0, dice=0.3, **late))
    whole = [part, ("n1.json", record(seed=1, dice=0.3, **late))]
    assert "0.1000" in line(leaderboard([*old, part]), "unet")
    assert "0.3000" in line(leaderboard([*old, *whole]), "unet")


def elsewhere(**facts: object) -> Record:
    """A record on another kind of arithmetic."""
    other = ENVIRONMENT.model_copy(update={"device": "Another processor"})
    return record(environment=other, fingerprint=other.fingerprint, **facts)


def test_another_arithmetic_stands_beneath_and_is_never_mixed() -> None:
    here = [(f"h{seed}.json", record(seed=seed, dice=0.8)) for seed in (0, 1)]
    page = leaderboard([*here, ("e.json", elsewhere(seed=2, dice=0.4))])
    mask = page.split("### Depth")[0]
    assert "0.8000 ± 0.0000" in line(mask, "unet")
    below = mask.splitlines()[mask.splitlines().index(line(mask, "unet")) + 1]
    assert "also on Another processor" in below
    assert "0.4000" in below
    assert "| 1 |" in below


def test_pooled_machines_are_a_further_level() -> None:
    here = [(f"h{seed}.json", record(seed=seed, dice=0.8)) for seed in (0, 1)]
    page = leaderboard([*here, ("e.json", elsewhere(seed=2, dice=0.4))], pool=True)
    row = line(page, "unet")
    assert "3 on 2 machines" in row
    assert "0.6000 ± 0.2828" in row  # of the machines' means
    assert "also on" not in page


def test_seeds_that_did_not_finish_stay_in_the_count() -> None:
    page = leaderboard(
        [("a.json", record(seed=0)), ("b.json", record(seed=1)), ("c.json", record(seed=2, outcome="diverged"))]
    )
    assert "| 2 of 3 |" in line(page, "unet")


def test_a_row_bears_a_recipes_name_only_while_it_means_that_text() -> None:
    changed = record(recipe="mask: bce, depth: l1")  # called bce_ssim once
    mask = leaderboard([("a.json", record()), ("b.json", changed)]).split("### Depth")[0]
    assert "| `bce_ssim` |" in mask
    assert "| `mask: bce, depth: l1` |" in mask


def test_divisions_are_never_ranked_together() -> None:
    page = leaderboard([("a.json", record()), ("b.json", record("wnet", division="tuned (5 trials)"))])
    assert page.count("## quick v1") == 2
    assert "tuned (5 trials)" in page


@pytest.mark.parametrize("name", ["a|b", "a`b", "a\nb", "<img src=x>"])
def test_a_name_cannot_break_the_table(name: str) -> None:
    page = leaderboard(
        [("a.json", record(name)), ("b.json", record(name, seed=1, outcome="failed", reason=f"{name} *x*"))]
    )
    for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
        rows = table.splitlines()
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {len(re.findall(r"(?<!\\)\|", rows[0]))}
    assert "<img" not in re.sub(r"`[^`]*`", "", page)


def test_a_rate_measured_on_a_busy_machine_is_marked() -> None:
    busy = Load(windows=3, disturbed=3, marked=True)
    assert "| (100) |" in line(leaderboard([("a.json", record(load=busy))]).split("### Cost")[1], "unet")
    mixed = leaderboard([("a.json", record(load=busy)), ("b.json", record(seed=1))])
    assert "| 100 |" in line(mixed.split("### Cost")[1], "unet")


def test_all_times_of_a_row_are_of_the_same_runs() -> None:
    """Of two disturbed runs and a quiet one the quiet one counts; without it both do, in brackets."""
    busy = Load(windows=3, disturbed=3, marked=True)
    slow = record().timings.model_copy(
        update={"images_per_second": 50.0, "step_ms": 640.0, "blocks": {"forward": block(200.0)}}
    )
    disturbed = [(f"{seed}.json", record(seed=seed, load=busy, timings=slow, evaluation=slow)) for seed in (1, 2)]
    costs = [
        line(leaderboard(records).split("### Cost")[1], "unet")
        for records in ([("a.json", record()), *disturbed], disturbed)
    ]
    assert "| 100 | 320.0 |" in costs[0] and "| 100.0 |" in costs[0] and "(" not in costs[0]
    assert "| (50.0) | (640.0) |" in costs[1] and "| (200.0) |" in costs[1] and "| (–) |" not in costs[1]


def test_the_rate_of_runs_that_shared_their_device_is_no_cost() -> None:
    shared = Load(windows=3, disturbed=3, marked=True, shared=2)
    assert "### Cost" not in leaderboard([("a.json", record(load=shared))])
    slow = record(seed=1, load=shared).model_copy(
        update={"timings": record().timings.model_copy(update={"images_per_second": 7.0})}
    )
    mixed = leaderboard([("a.json", record()), ("b.json", slow)])
    assert "| 100 |" in line(mixed.split("### Cost")[1], "unet")


def test_failures_are_listed_with_their_reason() -> None:
    page = leaderboard([("a.json", record()), ("f.json", record("wnet", outcome="diverged"))])
    row = line(page.split("### Not finished")[1], "wnet")
    assert "diverged" in row
    assert "became NaN \\| at step 3" in row


def test_data_sets_and_encodings_are_never_ranked_together() -> None:
    other = {"kind": "composed", "camera": "still", "encoding": "inverse", "leaks": True}
    page = leaderboard([("a.json", record()), ("b.json", record(data=other))])
    assert page.count("## quick v1") == 2
    assert "leaking shared split" in page


def test_costs_sum_the_terms_of_a_block() -> None:
    row = line(leaderboard([("a.json", record())]).split("### Cost")[1], "unet")
    assert "| 5.0 |" in row  # loss/mask.bce + loss/depth.ssim


def test_blocks_that_are_launch_times_are_marked() -> None:
    costs = leaderboard([("a.json", record(facts={"blocks": HOST_BOUND}))]).split("### Cost")[1].split("### Records")[0]
    assert "| 5.0‡ |" in line(costs, "unet")
    assert f"\n‡ {HOST_BOUND}.\n" in costs
    assert "‡" not in leaderboard([("a.json", record())])


def test_no_records_says_how_to_make_one() -> None:
    assert "bench run" in leaderboard([])


def test_a_failure_that_was_made_good_is_no_longer_listed() -> None:
    failed = ("a.json", record(outcome="oom"))
    assert "### Not finished" in leaderboard([failed])
    assert "### Not finished" not in leaderboard([failed, ("b.json", record())])


def test_each_machine_keeps_its_costs() -> None:
    fast = ENVIRONMENT.model_copy(update={"device": "A fast processor"})
    elsewhere = record(started="2026-01-02T00:00:00+00:00", environment=fast, fingerprint=fast.fingerprint)
    page = leaderboard([("a.json", record()), ("b.json", elsewhere)])
    assert page.count("### Cost on") == 2
    assert "A fast processor" in page


def test_networks_of_one_head_stand_in_their_table_alone() -> None:
    page = leaderboard([("a.json", record("mask_only", dice=0.99, rmse=None)), ("b.json", record("both", dice=0.5))])
    mask, depth = page.split("### Cost")[0].split("### Depth")
    assert "| `mask_only`" in mask
    assert "| `mask_only`" not in depth


def test_seeds_of_different_code_are_marked() -> None:
    page = leaderboard([("a.json", record()), ("b.json", record(seed=1, code="1" * 12))])
    assert "| 2† |" in page
    assert "| 2 |" in leaderboard([("a.json", record()), ("b.json", record(seed=1))])


def test_precisions_and_memory_formats_never_share_a_row() -> None:
    forms = [("float32", "channels_last"), ("bfloat16", "channels_last"), ("bfloat16", "contiguous")]
    records = [(f"{i}{seed}.json", done_in(*form, seed=seed)) for i, form in enumerate(forms) for seed in (0, 1)]
    page = leaderboard(records)
    quality, costs = page.split("### Cost")
    for part in (quality.split("### Depth")[0], costs.split("### Records")[0]):
        shown = [
            next(cell for cell in row.split(" | ") if "float" in cell)
            for row in part.splitlines()
            if "| `unet` |" in row
        ]
        assert sorted(shown) == ["bfloat16", "bfloat16, contiguous", "float32"]
    assert page.count("| 2 |") == 2 * 3  # seeds, in the tables of mask and of depth


def test_a_board_of_a_custom_protocol_is_described_by_its_own_numbers() -> None:
    usual = record()
    changed = usual.spec.protocol.override(size=32, epochs=1)
    spec = usual.spec.model_copy(update={"protocol": changed})
    page = leaderboard([("a.json", usual.model_copy(update={"spec": spec}))], "results")
    assert f"\n{changed.about}. Depth encoding" in page
    assert usual.spec.protocol.summary not in page
    assert usual.spec.protocol.summary in leaderboard([("a.json", usual)], "results")
