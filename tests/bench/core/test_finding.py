"""Findings: the worst grade wins, and the headline names what is not ok."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.core.finding import Fault, Finding, Unsound, broken, conclude, headline

GRADES = ("ok", "warn", "broken")
FAULTS = st.lists(
    st.builds(Fault, st.sampled_from(GRADES[1:]), st.text("abc", min_size=1), st.sampled_from(["", "x", "y"]))
)


@given(FAULTS)
def test_the_worst_grade_and_its_findings_come_first(faults: list[Fault]) -> None:
    found = conclude("check", faults, "fine")
    assert found.grade == max([fault.grade for fault in faults] or ["ok"], key=GRADES.index)
    stated = [fault.finding for grade in reversed(GRADES) for fault in faults if fault.grade == grade]
    assert found.finding == ("; ".join(stated) or "fine")
    advice = [text for text in found.advice.split("; ") if text]
    assert sorted(advice) == sorted({fault.advice for fault in faults if fault.advice}), "each advice once"


def test_numbers_that_are_not_finite_are_left_out() -> None:
    numbers = {"a": 1.5, "b": math.nan, "c": math.inf, "d": -math.inf, "e": 0.0}
    assert conclude("check", [], "fine", numbers).numbers == {"a": 1.5, "e": 0.0}


@given(st.lists(st.sampled_from(GRADES), max_size=6))
def test_the_headline_names_every_check_that_is_not_ok(grades: list[str]) -> None:
    findings = [Finding(check=f"c{i}", grade=grade, finding="") for i, grade in enumerate(grades)]  # type: ignore[arg-type]
    line = headline(findings, "audit")
    named = {finding.check for finding in findings if f" {finding.check}" in line.replace(",", " ").replace(";", " ")}
    assert named == {finding.check for finding in findings if finding.grade != "ok"}
    assert line.endswith(f", {len(findings)} checks")
    assert line.startswith("audit: ok") == (not named)
    assert broken(findings) == [finding for finding in findings if finding.grade == "broken"]


def test_a_finding_is_frozen_and_takes_no_other_fields() -> None:
    finding = Finding(check="c", grade="ok", finding="fine")
    with pytest.raises(ValidationError):
        finding.grade = "broken"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Finding(check="c", grade="bad", finding="")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Finding.model_validate({"check": "c", "grade": "ok", "finding": "", "colour": "red"})
    assert Finding.model_validate_json(finding.model_dump_json()) == finding


def test_unsound_experiments_have_an_exit_status_of_their_own() -> None:
    assert Unsound("x").exit_code == 5
