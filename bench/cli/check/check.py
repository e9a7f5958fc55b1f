"""``bench check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
bench check mine:Net
bench check my_terms:charbonnier --head depth
bench check "my_terms:charbonnier[eps=0.01]"
bench check mine:precision_at_half
bench check mine:MySource
bench check smp/unet/resnet18
"""


def check(
    *,
    plugin: Annotated[str, typer.Argument(help="module:attribute or a name, parameters in brackets.")],
    kind: Annotated[
        str | None, typer.Option(help="model, term, metric or source. Default: recognised from what it is.")
    ] = None,
    head: Annotated[list[str] | None, typer.Option(help="Head that a term is for: mask, depth; repeatable.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the findings as JSON.")] = None,
) -> None:
    """Check that a model, a loss term, a metric or a data source of your own keeps its contract.

    For each failed check it prints what happened and why it matters. Exit 1 if anything is broken.
    """
    from bench.audit.conformance.plugin import check_plugin, find_kind
    from bench.core import files
    from bench.core.errors import BenchError
    from bench.core.files import canonical_json
    from bench.core.finding import broken, headline
    from bench.report.terminal.console import plain_console, show
    from bench.report.terminal.findings_table import findings_table
    from bench.report.terminal.progress_bar import Bar
    from registry.losses.recipe import HEADS

    files.check_outputs({"--json": json})
    for name in head or ():
        if name not in HEADS:
            raise BenchError(f"--head must be {' or '.join(HEADS)}, not {name!r}")
    console = plain_console()
    chosen = kind or find_kind(plugin)
    with Bar(console) as bar:
        findings = check_plugin(plugin, chosen, head or (), bar)
    if json is not None:
        files.replace(json, canonical_json([finding.model_dump() for finding in findings]) + "\n")
    show(findings_table(findings), console)
    console.print(f"{chosen} {plugin}: {headline(findings, 'check')}")
    if broken(findings):
        raise typer.Exit(1)
