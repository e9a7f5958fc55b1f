"""The error for cells that have no metric to be compared by: what each of them predicts."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.errors import BenchError
from bench.results.board import Row
from bench.results.metric_facts import facts_in
from bench.results.row_names import label


def nothing_in_common(rows: Sequence[Row], names: Sequence[str] = ()) -> BenchError:
    """The error.

    Args:
        rows: one, or two that are compared.
        names: of the metrics that were asked for; empty for any.
    """
    asked = " or ".join(names) or "metric"
    cells = list(dict.fromkeys(map(label, rows)))
    lacks = f"have no {asked} in common" if len(cells) > 1 else f"has no {asked}"
    found = dict.fromkeys(f"{label(row)} predicts {' and '.join(heads(row)) or 'nothing'}" for row in rows)
    return BenchError(f"{' and '.join(cells)} {lacks}: {', '.join(found)}")


def heads(row: Row) -> list[str]:
    """What it was tested on: ``mask``, ``depth`` or both."""
    known = facts_in(record for _, record in row.records.values())
    found = dict.fromkeys(facts.head for name, facts in known.items() if row.values(name))
    return [head for head in found if head != "joint"]
