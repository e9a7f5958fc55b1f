"""``bench leaderboard``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options.common import Results, Where, check_results
from bench.cli.options.expand import emit

if TYPE_CHECKING:
    from bench.results.board.overview import Line

EXAMPLES = """
bench leaderboard
bench leaderboard --check
bench leaderboard --show --where 'model=unet*' --where 'seeds>2' --sort depth_delta1
bench leaderboard --csv board.csv --results my/results
bench leaderboard --json - --sort mask_iou
"""

_RESULTS, _PAGE = Path("results"), Path("leaderboard.md")


def leaderboard(
    results: Results = _RESULTS,
    out: Annotated[Path, typer.Option(help="Page to write.")] = _PAGE,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a generated page is stale.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the board; write nothing.")] = False,
    csv: Annotated[str, typer.Option("--csv", help="Write the board's rows to this file, - for standard output.")] = "",
    json: Annotated[str, typer.Option("--json", help="Write the board's rows as JSON, - for standard output.")] = "",
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Column of --show; repeatable. Default: the headline metrics.")
    ] = None,
    where: Where = None,
    sort: Annotated[str, typer.Option("--sort", help="Order by this column, the best first.")] = "",
    pool: Annotated[
        str,
        typer.Option("--pool", help="machines: count them as a further random level instead of apart."),
    ] = "",
) -> None:
    """Regenerate leaderboard.md from the records, its excerpt in README.md, and the records' JSON schema.

    With --show, --csv or --json it prints or writes the rows instead.
    """
    from bench.core import files
    from bench.core.errors import BenchError
    from bench.report import pages
    from bench.results import store

    check_results(results)
    files.check_outputs({"--out": None if check or show or csv or json else out})
    files.check_outputs(
        {name: Path(path) for name, path in (("--csv", csv), ("--json", json)) if path not in ("", "-")}
    )
    if pool not in ("", "machines"):
        raise BenchError(f"--pool takes machines, not {pool!r}")
    if show or csv or json:
        _rows(results, csv, json, show, metric or [], where or [], sort, bool(pool))
    else:
        texts = pages.pages(results, out, bool(pool))
        stale = pages.stale(texts)
        if check and stale:
            given = {"--results": (results, _RESULTS), "--out": (out, _PAGE), "--pool": (pool, "")}
            words = [word for name, (value, usual) in given.items() if value != usual for word in (name, str(value))]
            renew = shlex.join(["bench", "leaderboard", *words])
            typer.echo(f"stale: {', '.join(map(str, stale))}; run: {renew}", err=True)
            raise typer.Exit(1)
        pages.refresh(texts)
        typer.echo(f"wrote {', '.join(map(str, stale))}" if stale else f"{out} is up to date")
    store.check(results, tables=True)


def _rows(
    results: Path, csv: str, json: str, show: bool, metric: list[str], where: list[str], sort: str, pool: bool
) -> None:
    from bench.report.terminal.console import show as print_tables
    from bench.report.terminal.results.board_table import as_csv, as_json, board_tables
    from bench.results import store
    from bench.results.board import groups_of, overview
    from bench.results.board.alarms import alarms, few_groups
    from bench.results.board.standings import Images
    from bench.results.metric_facts import facts_in, find_key, shown

    records = store.read_all(results)
    facts = facts_in(record for _, record in records)
    chosen = [find_key(name, facts) for name in metric] or shown(facts, "headline")
    by = find_key(sort, facts) if sort in facts else ""
    groups, images = groups_of(records, pool), Images(results)
    whole = list(overview.overview(groups, images, by))
    lines = overview.where(whole, where)
    if sort:
        higher = facts[sort].higher_is_better if sort in facts else sort in ("seeds", "images_per_second", "best")
        lines = overview.ordered(lines, sort, higher)
    if csv:
        emit(csv, as_csv(lines))
    if json:
        emit(json, as_json(lines))
    if show and not whole:
        unfinished = f"none of the {len(records)} records in {results} has a score: no run has finished"
        print_tables(unfinished if records else f"no records in {results} yet; a first one: bench run --model unet")
    elif show:
        notes = {
            group.title: [
                *_filtered(whole, lines, group.title),
                *few_groups(group, images),
                *(f"Alarm: {alarm}" for alarm in alarms(group, images)),
            ]
            for group in groups
        }
        print_tables(board_tables(lines, chosen, facts, notes))


def _filtered(whole: Sequence[Line], lines: Sequence[Line], title: str) -> Iterator[str]:
    """Says of a board of which some rows are not shown that its ties are those of all."""
    every, kept = (sum(line["board"] == title and not line["elsewhere"] for line in part) for part in (whole, lines))
    if kept < every:
        yield f"{kept} of {every} rows; tie and best are those of the whole board."
