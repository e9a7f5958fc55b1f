"""Findings as a terminal table: grade, check, what was found and, below it, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.finding import Finding
from bench.report.terminal.figure_table import FigureTable


def findings_table(findings: Sequence[Finding]) -> FigureTable:
    """A row a finding; names in it are shown as they are, without markup."""
    table = FigureTable(("", "", ""), heading=False)
    for column in table.columns[:2]:
        column.no_wrap = True
    for finding in findings:
        advice = f"\n-> {finding.advice}" if finding.advice else ""
        table.add(finding.grade, finding.check, finding.finding + advice)
    return table
