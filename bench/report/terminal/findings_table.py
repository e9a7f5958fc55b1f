"""Findings as a terminal table: grade, check, what was found and, below it, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.core.finding import Finding


def findings_table(findings: Sequence[Finding]) -> Table:
    """A row a finding; names in it are shown as they are, without markup."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for finding in findings:
        advice = f"\n-> {finding.advice}" if finding.advice else ""
        table.add_row(finding.grade, finding.check, Text(finding.finding + advice))
    return table
