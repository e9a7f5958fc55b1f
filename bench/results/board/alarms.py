"""What makes a board doubtful: contradictions between its records, and per-image tables that cannot be relied on."""

from __future__ import annotations

from bench.results.board.groups import Group
from bench.results.board.standings import Images


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
