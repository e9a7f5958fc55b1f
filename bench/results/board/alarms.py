"""What makes a board doubtful: contradictions between its records, and per-image tables that cannot be relied on."""

from __future__ import annotations

from bench.results.board.groups import Group
from bench.results.board.standings import Images
from bench.results.stats.grouping import FEW


def alarms(group: Group, images: Images) -> list[str]:
    """A sentence each, for whatever shows the board.

    Args:
        group: the board.
        images: the per-image metrics beside its records.
    """
    names = dict.fromkeys(
        name for row in group.board for part in (row, *row.elsewhere) for name, _ in part.records.values()
    )
    damaged = [problem for name in names if (problem := images.problem(name))]
    return [
        *group.alarms,
        *(f"{problem}; its row is not ranked (restore it, or move it away with its record)" for problem in damaged),
    ]


def few_groups(group: Group, images: Images) -> list[str]:
    """A sentence for each kind of groups of which the test images show few.

    Args:
        group: the board.
        images: the per-image metrics beside its records.
    """
    names = (name for row in group.board for name, _ in row.records.values())
    first = next((name for name in names if images.has([name])), None)
    aligned = images.of([first], {}) if first else None
    if aligned is None:
        return []
    return [f"Only {few}: with fewer than {FEW} an interval is wide and less reliable." for few in aligned.grouping.few]
