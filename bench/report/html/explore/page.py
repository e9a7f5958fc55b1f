"""The report: all records in a self-contained HTML page that works offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bench.core.garbage import collection_paused
from bench.report.blocks import BLOCKS, css, shades
from bench.report.html.explore.lines import Line, lines_of, rankings
from bench.report.html.explore.side_by_side import scenes
from bench.report.html.explore.slice_tables import slice_tables
from bench.report.html.explore.tuning_plot import tuning_plots
from bench.report.html.template import render
from bench.report.legend import TIES, UNRANKED
from bench.report.markdown.cells import percentage, plain_number
from bench.results import store
from bench.results.board import Group, groups_of
from bench.results.board.alarms import alarms, few_groups
from bench.results.board.standings import Images


@collection_paused()
def report(results: Path, runs: Path, pool: bool = False) -> str:
    """The report's HTML, about 5 MB, most of it plotly.js.

    Args:
        results: folder of the records; damaged records are left out.
        runs: folder of the runs, which holds thumbnails of their predictions.
        pool: count machines as a further random level.
    """
    groups, images = groups_of(store.read_all(results), pool), Images(results)
    lines = lines_of(groups, images, results)
    return render(
        "report.html.j2",
        boards=[
            _board(index, group, lines, results) | {"few": few_groups(group, images)}
            for index, group in enumerate(groups)
        ],
        data={
            "lines": lines,
            "boards": [_facts(group) for group in groups],
            "colours": {name: css(colour) for name, colour in zip(BLOCKS, shades(BLOCKS), strict=True)},
        },
        scenes=[scenes(group, runs) for group in groups],
        failures=[(name, record) for group in groups for name, record in group.failures],
        alarms=[alarm for group in groups for alarm in alarms(group, images)],
        findings=_findings(groups),
        ties=TIES,
        unranked=UNRANKED,
        machines=_machines(groups),
        percentage=percentage,
        plain_number=plain_number,
        filters={key: sorted({str(line[key]) for line in lines}) for key in ("model", "loss", "precision", "machine")},
    )


def _board(index: int, group: Group, lines: Sequence[Line], results: Path) -> dict[str, Any]:
    """A group's tables: the metrics shown, the one that ranks, and the lines in its order."""
    ours = [line for line in lines if line["board"] == index]
    present = [name for name in group.metrics if any(name in line["scores"] for line in ours)]
    tables = []
    for title, names in group.tables.items():
        shown = [name for name in names if name in present]
        ranked = next((name for name in rankings(group, present) if name in shown), None)
        if ranked is not None:
            order = sorted(
                (line for line in ours if ranked in line["scores"]),
                key=lambda line, by=ranked: line["places"].get(by, {}).get("order", len(ours)),  # type: ignore[misc]
            )
            tables.append(
                {
                    "title": title,
                    "ranked": ranked,
                    "metrics": [ranked, *(n for n in shown if n != ranked)],
                    "lines": order,
                }
            )
    slices = slice_tables(group, rankings(group, present), results)
    return {
        "title": group.title.replace("*", ""),
        "tables": tables,
        "facts": group.metrics,
        "slices": slices,
        "tuning": [(parameter, Markup(figure)) for parameter, figure in tuning_plots(group)],
    }


def _facts(group: Group) -> Mapping[str, Any]:
    return {
        "title": group.title.replace("*", ""),
        "metrics": {
            name: {
                "label": f"{facts.head} {facts.column} {facts.arrow}",
                "higher": facts.higher_is_better,
                "headline": facts.headline,
            }
            for name, facts in group.metrics.items()
        },
    }


def _findings(groups: Sequence[Group]) -> list[tuple[str, str, str, str, int]]:
    """Audit findings that are not ok: grade, check, finding, advice, and number of rows."""
    counted: dict[tuple[str, str, str, str], int] = {}
    for group in groups:
        for row in group.board:
            for finding in row.any.audit:
                if finding.grade != "ok":
                    key = finding.grade, finding.check, finding.finding, finding.advice
                    counted[key] = counted.get(key, 0) + 1
    return sorted((*key, count) for key, count in counted.items())


def _machines(groups: Sequence[Group]) -> list[tuple[str, Any, int]]:
    """Fingerprint, environment and number of records of each machine."""
    found: dict[str, tuple[Any, int]] = {}
    for group in groups:
        for _, record in group.members:
            environment, count = found.get(record.fingerprint, (record.environment, 0))
            found[record.fingerprint] = environment, count + 1
    return sorted((fingerprint, environment, count) for fingerprint, (environment, count) in found.items())
