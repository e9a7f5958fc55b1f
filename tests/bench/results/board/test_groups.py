"""Groups and rows of records: what may be ranked together, whatever the order of the records and what else is there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.protocol import find_protocol
from bench.core.record import Load, Record
from bench.core.spec import RunSpec
from bench.results.board import Group, data_label, disturbed, groups_of, rate, rows
from bench.results.board.groups import recipe_label
from bench.results.board.row import Row
from tests.bench.records import ENVIRONMENT, record

OUTCOMES = ("diverged", "oom", "failed", "killed", "timeout")
Named = tuple[str, Record]


def of_protocol(made: Record, name: str) -> Record:
    return made.model_copy(update={"spec": made.spec.model_copy(update={"protocol": find_protocol(name)})})


IRRELEVANT: dict[str, Record] = {
    "another protocol": of_protocol(record(dice=0.99), "standard"),
    "other data": record(dice=0.99, data={"kind": "composed", "camera": "still"}),
    "another camera": record(
        dice=0.99, data={"kind": "synthetic", "camera": "still", "encoding": "metric, 1.0 = 10 m"}
    ),
    "another model": record("masknet", dice=0.99),
    "another loss": record(recipe="mask: dice", recipe_name="mask: dice", dice=0.99),
    "another precision": record(precision="bfloat16", dice=0.99),
    "a tuned board": record(dice=0.99, division="tuned (5 trials)"),
    "other arithmetic": record(dice=0.99, arithmetic="b" * 12, started="2026-02-01T00:00:00+00:00"),
    **{f"a run that {outcome}": record(seed=7, outcome=outcome) for outcome in OUTCOMES},
}


def base() -> list[Named]:
    """Two cells of three seeds on the same board."""
    made = [
        record(model, seed=seed, dice=dice + seed / 100, arithmetic="a" * 12)
        for model, dice in (("unet", 0.7), ("wnet", 0.8))
        for seed in range(3)
    ]
    return [(f"{place}.json", each) for place, each in enumerate(made)]


def figures(row: Row) -> tuple[Any, ...]:
    """All that a table shows of a row's scores."""
    return (
        row.model,
        row.recipe,
        [*row.records],
        row.mean("mask_dice"),
        row.spread("mask_dice"),
        row.values("depth_rmse"),
    )


def standing(groups: Sequence[Group]) -> list[tuple[str, list[tuple[Any, ...]]]]:
    return [(group.title, [figures(row) for row in group.board]) for group in groups]


def everything() -> list[Named]:
    return [*base(), *((f"x{place}.json", each) for place, each in enumerate(IRRELEVANT.values()))]


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_the_order_of_the_records_does_not_matter(seed: int) -> None:
    mixed = everything()
    random.Random(seed).shuffle(mixed)
    found, expected = groups_of(mixed), groups_of(everything())
    assert standing(found) == standing(expected)
    assert [[name for name, _ in group.members] for group in found] == [
        [name for name, _ in group.members] for group in expected
    ]
    assert [group.failures for group in found] == [group.failures for group in expected]
    assert [group.alarms for group in found] == [group.alarms for group in expected] == [[]] * len(found)


@pytest.mark.parametrize("what", IRRELEVANT)
def test_a_record_of_something_else_changes_no_row(what: str) -> None:
    before = [figures(row) for group in groups_of(base()) for row in group.board]
    after = [figures(row) for group in groups_of([*base(), ("x.json", IRRELEVANT[what])]) for row in group.board]
    assert all(row in after for row in before)
    assert len(after) - len(before) == (0 if what == "other arithmetic" or what.startswith("a run that") else 1)


@pytest.mark.parametrize("what", ["another protocol", "other data", "another camera", "a tuned board"])
def test_what_was_not_measured_alike_stands_on_a_board_of_its_own(what: str) -> None:
    groups = groups_of([*base(), ("x.json", IRRELEVANT[what])])
    assert sorted(len(group.board) for group in groups) == [1, 2]
    assert len({group.title for group in groups}) == 2


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_run_that_did_not_finish_is_a_failure_until_it_has(outcome: str) -> None:
    failed = ("f.json", record(seed=7, outcome=outcome, arithmetic="a" * 12))
    (group,) = groups_of([*base(), failed])
    assert group.failures == [failed]
    row = next(row for row in group.board if row.model == "unet")
    assert (len(row.records), [*row.unfinished]) == (3, [7])
    done = ("g.json", record(seed=7, arithmetic="a" * 12, started="2026-03-01T00:00:00+00:00"))
    (group,) = groups_of([*base(), failed, done])
    assert group.failures == []
    row = next(row for row in group.board if row.model == "unet")
    assert ([*row.records], [*row.unfinished]) == ([0, 1, 2, 7], [])


def test_only_failures_make_a_board_without_rows() -> None:
    (group,) = groups_of([("f.json", record(outcome="oom"))])
    assert group.board == [] and len(group.failures) == 1 and group.machines() == {}


def test_the_arithmetic_of_most_seeds_is_the_row_and_others_stand_beneath() -> None:
    other = [(f"b{seed}.json", record(seed=seed, dice=0.1, arithmetic="b" * 12)) for seed in range(2)]
    row = next(row for row in rows([*base(), *other]) if row.model == "unet")
    assert len(row.records) == 3 and [len(part.records) for part in row.elsewhere] == [2]
    assert row.mean("mask_dice") == pytest.approx(0.71)
    pooled = next(row for row in rows([*base(), *other], pool=True) if row.model == "unet")
    assert pooled.mean("mask_dice") == pytest.approx((0.71 + 0.1) / 2), "a machine counts once, however many its seeds"


def test_of_two_kinds_with_as_many_seeds_the_first_is_the_row() -> None:
    late, early = (
        record(arithmetic=kind * 12, started=f"2026-0{month}-01T00:00:00+00:00") for kind, month in (("a", 5), ("b", 2))
    )
    (row,) = rows([("a.json", late), ("b.json", early)])
    assert row.any.arithmetic == "b" * 12


def test_a_tuned_board_has_the_baselines_of_the_untuned() -> None:
    tuned = record(division="tuned (5 trials)")
    constant = record("constant", recipe="", dice=0.5)
    groups = {
        group.members[0][1].division: group for group in groups_of([*base(), ("t.json", tuned), ("c.json", constant)])
    }
    assert [row.model for row in groups["untuned"].board] == ["unet", "wnet", "constant"]
    with_baselines = groups["tuned (5 trials)"]
    assert [row.model for row in with_baselines.board] == ["unet", "constant"]
    assert with_baselines.title.endswith("· tuned (5 trials)") and with_baselines.baseline_means("mask_dice") == [0.5]


def test_boards_of_registered_protocols_come_before_custom_ones() -> None:
    custom = record().model_copy(
        update={"spec": record().spec.model_copy(update={"protocol": find_protocol("quick").override(epochs=9)})}
    )
    titles = [group.title for group in groups_of([("a.json", custom), *base()])]
    assert titles[0].startswith("quick v1 ·") and titles[1].startswith("custom ")


@pytest.mark.parametrize(
    ("data", "label"),
    [
        ({"kind": "synthetic", "camera": "handheld"}, "synthetic, handheld camera"),
        ({"kind": "composed", "camera": "still", "split": "unseen-both"}, "composed, still camera, split unseen-both"),
        ({"kind": "stored", "split": "group"}, "stored, unknown camera"),
        ({"kind": "x", "camera": "c", "split": "unseen-bg"}, "x, c camera, split unseen-bg (objects are shared)"),
        ({"kind": "x", "camera": "c", "split": "unseen-bg", "leaks": False}, "x, c camera, split unseen-bg"),
        (
            {"kind": "x", "camera": "c", "split": "unseen-fg", "leaks": True, "parts": {"test": {"objects": 0}}},
            "x, c camera, **leaking shared split**",
        ),
        ({"kind": "x", "camera": "c", "split": "shared", "leaks": True}, "x, c camera, **leaking shared split**"),
        ({}, "data, unknown camera"),
    ],
)
def test_data_in_words(data: dict[str, object], label: str) -> None:
    assert data_label(data) == label


def test_a_recipes_name_counts_as_long_as_it_means_what_was_run() -> None:
    assert recipe_label(record()) == "bce_ssim"
    assert recipe_label(record(recipe="mask: bce", recipe_name="bce_ssim")) == "mask: bce"
    assert recipe_label(record(recipe="", recipe_name="none")) == "none"


def load(marked: bool, shared: int = 1) -> Load:
    return Load(windows=4, disturbed=4 * marked, marked=marked, shared=shared)


def timed(images_per_second: float | None, found: Load | None = None) -> Record:
    timings = record().timings.model_copy(update={"images_per_second": images_per_second})
    return record(timings=timings, load=found)


@pytest.mark.parametrize(
    ("records", "expected", "busy"),
    [
        ([], None, False),
        ([timed(None)], None, False),
        ([timed(100.0), timed(50.0), timed(70.0)], 70.0, False),
        ([timed(100.0, load(False)), timed(50.0, load(True))], 100.0, False),
        ([timed(60.0, load(True)), timed(50.0, load(True))], 55.0, True),
        ([timed(60.0, load(False, shared=2))], None, False),
        ([timed(60.0, load(False, shared=2)), timed(50.0)], 50.0, False),
    ],
)
def test_a_rate_is_of_undisturbed_records_if_there_are_any(
    records: list[Record], expected: float | None, busy: bool
) -> None:
    assert rate(records) == expected and disturbed(records) == busy


def test_times_are_of_each_machine_and_the_latest_run() -> None:
    old, new = (record(seed=0, started=f"2026-0{month}-01T00:00:00+00:00", seconds=month) for month in (1, 2))
    here = ENVIRONMENT.model_copy(update={"processor": "Another", "device": "Another"})
    elsewhere = record(seed=1, environment=here, fingerprint=here.fingerprint)
    beside = record(seed=2, load=load(False, shared=3))
    (group,) = groups_of([("a.json", new), ("b.json", old), ("c.json", elsewhere), ("d.json", beside)])
    row = next(row for row in group.board if row.any.fingerprint == ENVIRONMENT.fingerprint)
    assert [each.seconds for each in group.on(row, ENVIRONMENT.fingerprint)] == [2], (
        "the one beside others is not timed"
    )
    assert set(group.machines()) == {ENVIRONMENT.fingerprint, here.fingerprint}
    assert group.on(row, "0" * 12) == []


def test_a_record_of_format_1_stands_beside_one_of_format_2() -> None:
    first = record(seed=0).model_dump(mode="json")
    for later in ("failure", "arithmetic", "load", "peak_of", "division", "tuning", "facts", "images", "checksum"):
        del first[later]
    first["format"], first["spec"]["layout"] = 1, first["spec"].pop("memory_format")
    old = Record.model_validate(first)
    assert (old.spec.id, old.cell) == (record(seed=0).id, record().cell)
    assert RunSpec.model_validate(first["spec"]).memory_format == "channels_last"
    (group,) = groups_of([("1.json", old), ("2.json", record(seed=1))])
    (row,) = group.board
    assert [*row.records] == [0, 1]
