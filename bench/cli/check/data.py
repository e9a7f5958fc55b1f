"""``bench data``: inspect data, pack it, write it in another layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.data import DataOptions, DataToWriteOptions

INSPECT_EXAMPLES = """
bench data inspect --data stored --root quartets.zip --sheet sheet.png
bench data inspect --data composed --bg photos/ --fg cutouts/ --json facts.json --strict
"""
PACK_EXAMPLES = """
bench data pack --data stored --root part1.zip --root part2.zip --size 64
"""
EXPORT_EXAMPLES = """
bench data export --files 003 --count 1000 --out quartets.zip
bench data export --data composed --bg photos/ --fg cutouts/ --files 004 --count 4000 --size 192 --out folder/
"""


def inspect(
    data: DataOptions,
    samples: Annotated[int, typer.Option(min=2, help="Quartets of each part to inspect.")] = 256,
    size: Annotated[int, typer.Option(min=16, help="Side at which they are inspected, pixels.")] = 64,
    sheet: Annotated[Path | None, typer.Option(help="Contact sheet to write, PNG.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures as JSON.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 5 at a warning, too.")] = False,
) -> None:
    """Describe data and report what is likely wrong with it, before anything is trained.

    Exit 0 if nothing is broken, 3 if files cannot be used, 5 if something is broken.
    """
    from bench.core import files
    from bench.core.files import canonical_json
    from bench.data.inspection.contact_sheet import contact_sheet
    from bench.data.inspection.inspection import inspect as inspect_source
    from bench.report.pictures.png import save_png
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.inspection_table import inspection_lines
    from bench.report.terminal.progress_bar import Bar

    files.check_outputs({"--sheet": sheet, "--json": json})
    console = plain_console()
    with Bar(console) as bar:
        found = inspect_source(data.open(quiet=True), samples, size, bar)
    if json is not None:  # first: what was found is not lost to a terminal that cannot show it
        files.replace(json, canonical_json(found.to_json()) + "\n")
    if sheet is not None:
        save_png(contact_sheet(found.quartets, found.backgrounds), sheet)
    for line in inspection_lines(found):
        console.print(line, soft_wrap=True)
    if sheet is not None:
        console.print(f"contact sheet: {sheet}", soft_wrap=True)
    grades = {finding.grade for finding in found.findings}
    if "broken" in grades or (strict and "warn" in grades):
        raise typer.Exit(5)


def pack(
    data: DataOptions,
    size: Annotated[list[int], typer.Option(min=8, help="Side, pixels; repeatable.")],
) -> None:
    """Decode stored quartets once, with all cores, into memory-mapped files; later runs start at once.

    An interrupted pack resumes; damaged rows are decoded again; packs of an earlier state of the files are deleted.
    """
    from bench.core.amount import amount
    from bench.core.errors import BenchError
    from bench.data.stored.source import Stored
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.progress_bar import Bar

    source = data.open()
    if not isinstance(source, Stored):
        raise BenchError(f"only --data stored is packed; {source.kind} is rendered on the fly")
    console = plain_console()
    for side in size:
        with Bar(console) as bar:
            packed = source.pack(side, bar)
        damaged = packed.samples.damaged + packed.backgrounds.damaged
        again = f", {damaged} rows failed their checksum and were decoded again" * bool(damaged)
        count, megabytes = packed.samples.count, packed.bytes / 2**20
        line = f"{packed.folder}: {amount(count, 'quartet')} of {side} px, {megabytes:,.0f} MiB{again}"
        console.print(line, soft_wrap=True)


def export(
    data: DataToWriteOptions,
    files: Annotated[str, typer.Option(help="Layout to write: 000, 001, 002, 003, 004 or pairs (PNG).")],
    count: Annotated[int, typer.Option(min=1, help="Quartets to write.")],
    out: Annotated[Path, typer.Option(help="Folder, or zip (a name that ends in .zip).")],
    size: Annotated[int, typer.Option(min=8, help="Side, pixels.")] = 224,
    part: Annotated[str, typer.Option(help="train, val, test, or all in their usual shares.")] = "all",
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG files.")] = 95,
) -> None:
    """Write quartets of any source as files in any published layout; an interrupted export resumes."""
    from bench.core import files as writing
    from bench.core.amount import amount
    from bench.data.stored.export import check_export
    from bench.data.stored.export import export as write
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.progress_bar import Bar

    check_export(files, out, part)  # data may take minutes to open
    (writing.check_writable if out.suffix.lower() == ".zip" else writing.check_folder)(out, "--out")
    console = plain_console()
    with Bar(console) as bar:
        written = write(data.open(), files, count, out, size, part, quality, bar)
    fewer = f" (not {count:,}: the data has no more)" if written < count else ""
    console.print(f"{out}: {amount(written, 'quartet')} in layout {files}{fewer}", soft_wrap=True)
