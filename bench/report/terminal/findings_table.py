"""Findings as a terminal table: grade, check, finding and, below it, advice."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.finding import Finding
from bench.report.terminal.figure_table import FigureTable


def findings_table(findings: Sequence[Finding]) -> FigureTable:
    """A row per finding."""
    table = FigureTable(("", "", ""), heading=False)
    for column in table.columns[:2]:
        column.no_wrap = True
    for finding in findings:
        advice = f"\n-> {finding.advice}" if finding.advice else ""
        table.add(finding.grade, finding.check, finding.finding + advice)
    return table
