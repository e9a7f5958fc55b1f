"""`Finding`: the result of a check. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from bench.core.errors import BenchError

Grade = Literal["ok", "warn", "broken"]

_SEVERITY: dict[Grade, int] = {"ok": 0, "warn": 1, "broken": 2}


class Finding(BaseModel):
    """The result of a check.

    Attributes:
        check: the name of the check, that of its function.
        grade: ``ok``; ``warn``, results need care; ``broken``, results will not mean what they seem to.
        finding: what was found, with the figures that show it.
        advice: what to do; empty where all is well.
        numbers: the figures by name; finite.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    grade: Grade
    finding: str
    advice: str = ""
    numbers: dict[str, float] = Field(default_factory=dict)


class Fault(NamedTuple):
    """One thing that is wrong; a check may find several."""

    grade: Grade
    finding: str
    advice: str


class Unsound(BenchError):
    """Training was refused, as the audit found something broken."""

    exit_code = 5


def conclude(check: str, faults: Sequence[Fault], fine: str, numbers: Mapping[str, float] | None = None) -> Finding:
    """One finding for everything a check found: the worst grade, the worst findings first.

    Args:
        check: its name.
        faults: what is wrong; may be empty.
        fine: the finding where nothing is.
        numbers: figures that show it; those that are not finite are left out.
    """
    found = sorted(faults, key=lambda fault: -_SEVERITY[fault.grade])
    return Finding(
        check=check,
        grade=found[0].grade if found else "ok",
        finding="; ".join(fault.finding for fault in found) or fine,
        advice="; ".join(dict.fromkeys(fault.advice for fault in found if fault.advice)),
        numbers={name: value for name, value in (numbers or {}).items() if math.isfinite(value)},
    )


def broken(findings: Iterable[Finding]) -> list[Finding]:
    """Those that make results meaningless."""
    return [finding for finding in findings if finding.grade == "broken"]


def headline(findings: Sequence[Finding], what: str = "audit") -> str:
    """All findings in a line: ``audit: ok, 16 checks``, or the names of what is broken and what needs care."""
    named = [
        f"{grade}: {', '.join(finding.check for finding in findings if finding.grade == grade)}"
        for grade in ("broken", "warn")
        if any(finding.grade == grade for finding in findings)
    ]
    return f"{what}: {'; '.join(named) or 'ok'}, {len(findings)} checks"
