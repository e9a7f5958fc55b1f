"""``bench audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.data import DataOptions
from bench.cli.options.groups import BudgetOptions

EXAMPLES = """
bench audit --model wnet --loss bce_ssim
bench audit --loss bce_iou_ssim@published --strict
bench audit --loss "mask: bce, depth: my_terms:charbonnier" --optimizer sgd --schedule "step[every=1,gamma=0.01]"
"""


def audit(
    *,
    model: Annotated[str, typer.Option("--model", "-m", help="Model key or module:function.")] = "unet",
    loss: Annotated[str, typer.Option("--loss", "-l", help="Recipe name or its text.")] = "bce_ssim",
    budget: BudgetOptions,
    data: DataOptions,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 5 if anything is broken.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the findings with all figures as JSON.")] = None,
) -> None:
    """Check a recipe, its metrics, its data and its schedule for faults before anything is trained.

    Grades: ok; warn, read the results with care; broken, results will not mean what they seem to.
    """
    from bench.audit.audit import audit as examine
    from bench.core import files
    from bench.core.files import canonical_json
    from bench.core.finding import broken, headline
    from bench.report.terminal.console import plain_console, show
    from bench.report.terminal.findings_table import findings_table
    from bench.report.terminal.progress_bar import Bar
    from registry.models import models

    files.check_outputs({"--json": json})
    source = data.open()
    console = plain_console()
    with Bar(console) as bar:
        findings = examine(loss, source, budget.resolve(), models.canonical(model), progress=bar)
    if json is not None:
        files.replace(json, canonical_json([finding.model_dump() for finding in findings]) + "\n")
    show(findings_table(findings), console)
    console.print(headline(findings))
    if strict and broken(findings):
        raise typer.Exit(5)
