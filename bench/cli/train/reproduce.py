"""``bench reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Device, Runs
from bench.cli.options.data import StillDataOptions

EXAMPLES = """
bench reproduce 002
bench reproduce 000 004 --samples 1024
bench reproduce --all --out docs/reproduction.md
bench reproduce --check
"""


def reproduce(
    *,
    systems: Annotated[list[str] | None, typer.Argument(help="000, 001, 002, 003 or 004; several.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All five.")] = False,
    samples: Annotated[
        int | None, typer.Option(min=2, help="Training samples a pass; else a minute or two a system on a CPU.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The original's samples, sizes and passes; for a GPU.")] = False,
    data: StillDataOptions,
    device: Device = "auto",
    results: Annotated[Path, typer.Option(help="Folder for records.")] = Path("results/reproduction"),
    runs: Runs = Path("runs"),
    out: Annotated[Path, typer.Option(help="Page to regenerate.")] = Path("docs/reproduction.md"),
    check: Annotated[bool, typer.Option("--check", help="Run nothing; exit 1 if the page is stale.")] = False,
) -> None:
    """Run a published system as published and as corrected, beside the figures that its authors report.

    Records and figures go to results/reproduction/, from which the page is regenerated.
    """
    from bench.core import files
    from bench.core.errors import BenchError
    from bench.core.machine import pick_device
    from bench.report.listeners.terminal import Terminal
    from bench.report.terminal.console import plain_console, show_markdown
    from bench.reproduce.page import page, section
    from bench.reproduce.reproduction import latest, write
    from bench.reproduce.run import Reproducer
    from bench.reproduce.systems import SYSTEMS, find_system

    if check:
        if not out.exists() or out.read_text() != page(latest(results)):
            typer.echo(f"stale: {out}; run: bench reproduce --all --out {out}", err=True)
            raise typer.Exit(1)
        typer.echo(f"{out} is up to date")
        return
    chosen = [find_system(key) for key in (SYSTEMS if every else systems or [])]
    if not chosen:
        raise BenchError(f"name a system ({', '.join(SYSTEMS)}), or --all")
    files.check_folder(results, "--results")
    files.check_folder(runs, "--runs")
    files.check_writable(out, "--out")
    console = plain_console()
    source = data.open()
    with Terminal(console) as terminal:
        reproducer = Reproducer(source, pick_device(device), results, runs, full, samples, terminal, console.print)
        for system in chosen:
            reproduction = reproducer.reproduce(system)
            write(results, reproduction)
            show_markdown(section(reproduction), console)
    files.replace(out, page(latest(results)))
    console.print(f"page: {out}")
