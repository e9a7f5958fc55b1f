"""`FoundRecords`: which record counts as this very run, made by this code here; and why the others do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core.code import code_version
from bench.core.finding import Finding
from bench.core.machine import environment
from bench.core.record import MetricFacts, Record
from bench.core.spec import RunSpec
from bench.results import store
from bench.run.found import FoundRecords
from bench.train.arithmetic import arithmetic
from bench.train.assemble import names_of
from tests.bench.records import record

CPU = torch.device("cpu")
SPEC = record().spec
HERE = environment(CPU)


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    """What a record of this code on this machine says of both."""
    return {"code": code_version(*names_of(SPEC)), "arithmetic": arithmetic(CPU, "float32")}


def keep(folder: Path, own: dict[str, Any], **changes: Any) -> tuple[Record, Path]:
    """Write a record of the run, finished an hour after the one before it."""
    hour = len(list(folder.glob("*.json")))
    when = f"2026-01-01T{hour:02d}:00:00+00:00"
    made = record(started=when, environment=HERE, fingerprint=HERE.fingerprint, **{**own, **changes})
    path = store.write(folder, made, {})
    return store.read(path), path


def found(folder: Path, **metrics: MetricFacts) -> FoundRecords:
    return FoundRecords(folder, CPU, metrics)


def test_of_several_the_first_that_finished_counts(tmp_path: Path, own: dict[str, Any]) -> None:
    keep(tmp_path, own, outcome="failed")
    first = keep(tmp_path, own)
    keep(tmp_path, own)
    records = found(tmp_path)
    assert records.finished(SPEC) == first
    assert [path.name for path in records.paths(SPEC)] == sorted(
        (p.name for p in tmp_path.glob("*.json")), reverse=True
    )
    assert records.faults(SPEC) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"code": "0" * 12}, "is of other code"),
        ({"arithmetic": "0" * 12}, "is of another machine or another version of torch"),
        ({"arithmetic": None, "fingerprint": "0" * 8}, "is of another machine or another version of torch"),
    ],
)
def test_what_was_made_otherwise_does_not_count(
    tmp_path: Path, own: dict[str, Any], changes: dict[str, Any], fault: str
) -> None:
    made = record(environment=HERE, **{"fingerprint": HERE.fingerprint, **own, **changes})
    store.write(tmp_path, made, {})
    records = found(tmp_path)
    assert records.finished(SPEC) is None
    assert records.faults(SPEC) == [fault]
    assert records.failed(SPEC) is None and records.audit(SPEC) is None


def test_a_record_without_arithmetic_goes_by_the_machine(tmp_path: Path, own: dict[str, Any]) -> None:
    kept = keep(tmp_path, own, arithmetic=None)
    assert found(tmp_path).finished(SPEC) == kept


def test_a_record_must_have_the_metrics_that_are_asked_for_as_they_are_now(tmp_path: Path, own: dict[str, Any]) -> None:
    facts = MetricFacts(head="mask", higher_is_better=True, perfect=1.0, code="a" * 12)
    keep(tmp_path, own)
    assert found(tmp_path).finished(SPEC) is not None
    assert found(tmp_path, mine=facts).finished(SPEC) is None
    assert found(tmp_path, mine=facts).faults(SPEC) == ["lacks a metric"]
    kept = keep(tmp_path, own, metrics={"mine": facts})
    assert found(tmp_path, mine=facts).finished(SPEC) == kept
    changed = facts.model_copy(update={"code": "b" * 12})
    assert found(tmp_path, mine=changed).finished(SPEC) is None


def test_a_damaged_record_is_named_and_counts_for_nothing(tmp_path: Path, own: dict[str, Any]) -> None:
    _, path = keep(tmp_path, own)
    path.write_text(path.read_text()[:300])
    assert found(tmp_path).finished(SPEC) is None
    assert found(tmp_path).faults(SPEC) == ["is damaged"]
    kept = keep(tmp_path, own)
    assert found(tmp_path).finished(SPEC) == kept


def test_other_runs_are_other_runs(tmp_path: Path, own: dict[str, Any]) -> None:
    keep(tmp_path, own)
    for change in ({"seed": 1}, {"model": "wnet"}, {"precision": "bfloat16"}, {"inputs": "image"}):
        other = RunSpec.model_validate(SPEC.model_dump() | change)
        records = found(tmp_path)
        assert records.finished(other) is None and records.paths(other) == [] and records.faults(other) == []


def test_the_division_tells_tuned_from_untuned(tmp_path: Path, own: dict[str, Any]) -> None:
    kept = keep(tmp_path, own, division="tuned (3 trials)")
    assert found(tmp_path).finished(SPEC) is None
    assert found(tmp_path).finished(SPEC, "tuned (3 trials)") == kept
    assert found(tmp_path).finished(SPEC, None) == kept


def test_the_latest_failure_and_its_audit(tmp_path: Path, own: dict[str, Any]) -> None:
    audit = [Finding(check="split", grade="ok", finding="fine")]
    keep(tmp_path, own, outcome="failed")
    latest = keep(tmp_path, own, outcome="oom", audit=audit)
    assert found(tmp_path).failed(SPEC) == latest
    assert found(tmp_path).audit(SPEC) == audit


def test_a_record_that_is_written_meanwhile_is_added(tmp_path: Path, own: dict[str, Any]) -> None:
    records = found(tmp_path)
    assert records.paths(SPEC) == []
    kept = keep(tmp_path, own)
    assert records.paths(SPEC) == [], "the folder is listed once"
    records.add(kept[1])
    records.add(tmp_path / "schema.json")
    assert records.finished(SPEC) == kept


def test_repetitions_that_differ_raise_an_alarm(tmp_path: Path, own: dict[str, Any]) -> None:
    keep(tmp_path, own, dice=0.8)
    assert found(tmp_path).alarms(SPEC) == []
    keep(tmp_path, own, dice=0.8)
    assert found(tmp_path).alarms(SPEC) == []
    _, path = keep(tmp_path, own, dice=0.7)
    (alarm,) = found(tmp_path).alarms(SPEC)
    assert path.name in alarm
