"""Records: everything comes back from JSON, nothing unknown is taken, and format 1 reads as it was."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.core.record import EvaluationRecord, Failure, Load, MetricFacts, Record, Score
from bench.core.spec import LATER, RunSpec
from tests.bench.records import record

ROOT = Path(__file__).parents[3]
TEXT = st.text(max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


FAILURES = st.builds(
    Failure,
    phase=st.sampled_from([None, "training", "test"]),
    samples=st.lists(st.integers(0), max_size=3),
    peak_mib=FINITE,
)
LOADS = st.builds(
    Load,
    windows=st.integers(0, 9),
    disturbed=st.integers(0, 9),
    others=FINITE,
    reasons=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
)


@given(FAILURES, LOADS, st.dictionaries(TEXT, FINITE | TEXT | st.booleans() | st.none(), max_size=3))
def test_a_record_survives_json(failure: Failure, load: Load, facts: dict[str, Any]) -> None:
    whole = record().model_copy(update={"failure": failure, "load": load, "facts": facts, "arithmetic": "a" * 12})
    assert Record.model_validate_json(whole.model_dump_json()) == whole


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_scores_are_finite(value: float) -> None:
    with pytest.raises(ValidationError):
        Score(value=value, images=3)
    assert Score(value=None, images=0).value is None


@pytest.mark.parametrize("model", [Record, RunSpec, Score, Failure, Load, MetricFacts, EvaluationRecord])
def test_unknown_fields_are_refused(model: Any) -> None:
    with pytest.raises(ValidationError, match="not permitted"):
        model.model_validate({"an_unknown_field": 1})


@pytest.mark.parametrize("outcome", ["finished", "diverged", "oom", "failed", "killed", "timeout"])
def test_outcomes(outcome: str) -> None:
    assert record(outcome=outcome).outcome == outcome
    with pytest.raises(ValidationError):
        record(outcome=outcome + "!")


def test_arithmetic_is_named_or_told_by_the_machine() -> None:
    plain = record()
    assert plain.arithmetic_key == "A processor, AVX512, 2 threads"
    assert plain.model_copy(update={"arithmetic": "0123"}).arithmetic_key == "0123"


def test_the_first_format_reads_without_what_came_later() -> None:
    content = json.loads(record().model_dump_json())
    for name in ("failure", "arithmetic", "load", "facts", "division", "metrics", "pooled_terms", "checksum", "images"):
        content.pop(name, None)
    content["format"] = 1
    content["spec"]["layout"] = content["spec"].pop("memory_format")
    for name in LATER:
        content["spec"].pop(name)
    old = Record.model_validate(content)
    assert old.spec.id == old.id
    assert old.spec.cell == old.cell
    assert (old.division, old.failure, old.load, old.peak_of) == ("untuned", None, None, "process")


OTHERS = {"engine": "graphed", "inputs": "image", "init": "0123456789ab"}


@pytest.mark.parametrize(("name", "default"), LATER.items())
def test_a_later_field_enters_the_id_only_off_its_default(name: str, default: str) -> None:
    spec, other = record().spec, OTHERS[name]
    assert spec.model_copy(update={name: default}).id == spec.id
    assert spec.model_copy(update={name: other}).id != spec.id


@given(st.booleans(), st.floats(-10, 10), st.floats(-10, 10))
def test_better_is_a_strict_order(higher: bool, score: float, other: float) -> None:
    facts = MetricFacts(head="mask", higher_is_better=higher, perfect=1.0)
    assert facts.better(score, other) == ((score > other) if higher else (score < other))
    assert not facts.better(score, score)
    assert not facts.better(math.nan, other) and not facts.better(score, math.nan)
