"""Records of what a run was tuned by: scores by value, names of divisions, boards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.core.protocol import find_protocol
from bench.core.record import UNTUNED, Load, MetricFacts, TrialRecord, TriedValue, Tuning
from bench.core.record.run import Score
from tests.bench.records import ENVIRONMENT, record

QUICK = find_protocol("quick")


def tuning(**changes: object) -> Tuning:
    values = {
        "parameter": "optimizer.lr",
        "value": 0.01,
        "edge": None,
        "trials": 3,
        "weights": {"mask": 1.0},
        "tried": [tried(0.001, 0.4), tried(0.003, 0.5, reference=True), tried(0.01, 0.6), tried(0.03, None)],
        "untuned": 0.003,
        "protocol": QUICK,
        "recipe": "mask: bce",
    }
    return Tuning.model_validate({**values, **changes})


def tried(value: float, score: float | None, **more: object) -> TriedValue:
    outcome = "diverged" if score is None else "finished"
    return TriedValue.model_validate({"value": value, "score": score, "outcome": outcome, "epochs": 2, **more})


@pytest.mark.parametrize(
    ("changes", "division"),
    [
        ({}, "tuned (3 trials)"),
        ({"trials": 12}, "tuned (12 trials)"),
        ({"pruned": True}, "tuned (3 trials, pruned)"),
    ],
)
def test_a_division_is_named_after_its_trials(changes: dict[str, object], division: str) -> None:
    assert tuning(**changes).division == division


def test_scores_are_those_of_the_chosen_and_of_the_protocols_own_value() -> None:
    assert (tuning().score, tuning().untuned_score) == (0.6, 0.5)
    assert tuning(value=0.03).score is None, "its trial diverged"
    assert tuning(value=7.0).score is None, "never tried"
    assert tuning(untuned=7.0).untuned_score is None


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_not_finite_is_none(score: float) -> None:
    with pytest.raises(ValidationError):
        tried(0.1, score)


def test_a_tuned_run_stands_on_the_board_of_the_protocol_before_tuning() -> None:
    tuned_protocol = QUICK.override(optimizer="adam[lr=0.01]")
    run = record()
    run = run.model_copy(update={"spec": run.spec.model_copy(update={"protocol": tuned_protocol})})
    assert run.budget == tuned_protocol and run.division == UNTUNED
    assert run.model_copy(update={"tuning": tuning()}).budget == QUICK


@pytest.mark.parametrize(("load", "timed"), [(None, True), (1, True), (2, False), (4, False)])
def test_what_shared_its_device_says_nothing_of_time(load: int | None, timed: bool) -> None:
    shared = None if load is None else Load(windows=4, disturbed=0, shared=load)
    assert record(load=shared).is_timed is timed


EDGES = st.sampled_from([None, "lowest", "highest"])
TRIED = st.builds(
    TriedValue,
    value=st.floats(1e-6, 1e3),
    score=st.none() | st.floats(-1, 1),
    outcome=st.sampled_from(["finished", "diverged"]),
    epochs=st.integers(0, 9),
    reference=st.booleans(),
)


@given(EDGES, st.lists(TRIED, max_size=4), st.booleans())
def test_tuning_survives_json(edge: str | None, values: list[TriedValue], pruned: bool) -> None:
    whole = tuning(edge=edge, tried=values, pruned=pruned)
    assert Tuning.model_validate_json(whole.model_dump_json()) == whole


@pytest.mark.parametrize("change", [{"edge": "middle"}, {"trials": "many"}, {"a_new_field": 1}, {"protocol": "quick"}])
def test_what_no_tuning_can_hold(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        tuning(**change)


def test_a_trial_survives_json_and_takes_no_test_scores() -> None:
    run = record()
    values = {
        "id": run.id,
        "spec": run.spec,
        "recipe_name": "bce_ssim",
        "parameter": "optimizer.lr",
        "value": 0.01,
        "epochs_done": 1,
        "outcome": "finished",
        "validation": {"mask_dice": Score(value=0.5, images=128)},
        "epochs": [],
        "started": run.started,
        "finished": run.finished,
        "seconds": 3.5,
        "code": run.code,
        "arithmetic": None,
        "environment": ENVIRONMENT,
    }
    trial = TrialRecord.model_validate(values)
    assert TrialRecord.model_validate_json(trial.model_dump_json()) == trial
    with pytest.raises(ValidationError, match="test"):
        TrialRecord.model_validate({**values, "test": values["validation"]})


@pytest.mark.parametrize(("higher", "arrow"), [(True, "↑"), (False, "↓")])
def test_the_arrow_of_a_metric_is_its_direction(higher: bool, arrow: str) -> None:
    assert MetricFacts(head="mask", higher_is_better=higher, perfect=1.0).arrow == arrow


def test_facts_that_are_not_stated_show_a_metric_last_and_on_no_page() -> None:
    facts = MetricFacts(head="depth", higher_is_better=False, perfect=0.0)
    assert (facts.order, facts.headline, facts.ranks, facts.table, facts.power) == (1000, False, False, None, 1)
    with pytest.raises(ValidationError):
        MetricFacts.model_validate({"head": "colour", "higher_is_better": True, "perfect": 1.0})


def test_frozen() -> None:
    for thing in (tuning(), tried(0.1, 0.2), record(), ENVIRONMENT):
        name = next(iter(type(thing).model_fields))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(thing, name, getattr(thing, name))
