"""``python -m bench.devtools.gpu.page FILE ...``: the measured part of docs/gpu.md, made of the lines of a journal.

Lines of several files are taken together, later ones for earlier ones of the same thing; what no file holds makes no
table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core import files
from bench.devtools.gpu.journal import read_lines
from bench.report.markdown import table
from bench.report.markdown.markers import put_between

MARKER = "measured"
Line = Mapping[str, Any]


def main(words: list[str] | None = None) -> int:
    """Replace what lies between the marks of a page."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.gpu.page", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--page", type=Path, default=Path("docs/gpu.md"))
    arguments = parser.parse_args(words)
    lines = [line for path in arguments.files for line in read_lines(path)]
    changed = put_between(arguments.page.read_text(encoding="utf-8"), MARKER, f"{measured(lines)}\n")
    if changed is None:
        parser.error(f"{arguments.page} has no markers {MARKER}")
    files.replace(arguments.page, changed)
    return 0


def measured(lines: Iterable[Line]) -> str:
    """All tables that the lines make."""
    kept = [line for line in lines if "error" not in line]
    sections = [
        _machine(kept),
        _table(
            "A training step, bce_ssim, 64 px, ms",
            "model | batch | GMACs | eager | enqueued by the host | graphed | eager / graphed | bound by",
            (
                [
                    f"`{line['model']}`",
                    line["batch"],
                    _number(line["gmacs"] and line["gmacs"] * line["batch"]),
                    _number(line["eager_ms"]),
                    _number(line["enqueue_ms"]),
                    _number(line.get("graphed_ms")),
                    _ratio(line["eager_ms"], line.get("graphed_ms")),
                    "host" if line["host_bound"] else "device",
                ]
                for line in _of(kept, "steps", "model", "batch")
            ),
        ),
        _table(
            "The whole loop over a bare loop in the same engine, images/s",
            "model | engine | ratio",
            ([f"`{x['model']}`", x["engine"], f"{x['over_bare']:.3f}"] for x in _of(kept, "loop", "model", "engine")),
        ),
        _table(
            "An epoch over 400,000 composites at 64 px",
            "model | engine | batch | seconds | images/s | before, once: s",
            (
                [
                    f"`{x['model']}`",
                    x["engine"],
                    x["batch"],
                    _number(x["epoch_seconds"]),
                    f"{x['images_a_second']:,.0f}",
                    _number(x.get("first_seconds")),
                ]
                for x in _of(kept, "epoch", "model", "engine", "batch")
                if "epoch_seconds" in x
            ),
        ),
        _table(
            "Rendering at 64 px, packed, quartets/s",
            "source | at once | quartets/s | ms | of these the host's",
            (
                [
                    x["source"],
                    f"{x['chunk']:,}" if "chunk" in x else f"a loader of {x['loader']:,}",
                    f"{x['quartets_a_second']:,.0f}",
                    _number(x.get("ms")),
                    _number(x.get("enqueue_ms")),
                ]
                for x in _of(kept, "rendering", "source", "chunk", "loader")
            ),
        ),
        _table(
            "Profiles at batch 128, 64 px",
            "model | engine | ms a step | closure | perturbation | bound by | not trustworthy, as",
            (
                [
                    f"`{x['model']}`",
                    x["engine"],
                    _number(x["step_ms"]["value"]),
                    f"{x['closure']:.1%}",
                    f"{x['perturbation']['value'] - 1:+.2%}",
                    "host" if x["host_bound"] else "device",
                    "; ".join(x["caveats"]),
                ]
                for x in _of(kept, "profiles", "model", "engine")
            ),
        ),
        _table(
            "First steps by stage of protocol standard",
            "model | px | batch | seconds of the first, second, third step | peak MiB of each",
            (
                [
                    f"`{x['model']}`",
                    x["size"],
                    x["batch"],
                    ", ".join(map(_number, x["step_seconds"])),
                    ", ".join(f"{mib:,.0f}" for mib in x["peak_mib"]),
                ]
                for x in _of(kept, "stages", "model", "size")
            ),
        ),
        _table(
            "Losses of the first steps of `unet`, greatest relative difference",
            "precision | eager from eager | graphed from eager | eager from eager, weights rounded otherwise",
            (
                [
                    x["precision"],
                    _number(x.get("eager_from_eager")),
                    _number(x.get("graphed_from_eager")),
                    _number(x.get("rounding_spread")),
                ]
                for x in _of(kept, "departure", "precision")
            ),
        ),
        *(_phases(kept, part) for part in ("standard", "full")),
        _table(
            "torch.compile",
            "model | batch | ms a step | enqueued by the host | seconds until the first step",
            (
                [
                    f"`{x['model']}`",
                    x["batch"],
                    _number(x["compiled_ms"]),
                    _number(x.get("enqueue_ms")),
                    _number(x["first_seconds"]),
                ]
                for x in _of(kept, "compiled", "model", "batch")
                if "compiled_ms" in x
            ),
        ),
    ]
    return "\n\n".join(section for section in sections if section)


def _machine(lines: Sequence[Line]) -> str:
    found = [line for line in lines if line["part"] == "machine" and "device" in line]
    if not found:
        return ""
    line = found[-1]
    text = (
        f"*{line['device']}, driver {line['driver']}, CUDA {line['cuda']}, cuDNN {line['cudnn']}, "
        f"torch {line['packages']['torch']}, host {line['processor']}"
    )
    for best in (x for x in lines if x.get("what") == "best"):
        rates = ", ".join(f"{name} {rate / 1e3:,.0f}" for name, rate in best["gflops"].items())
        text += f"; matrix products in TFLOP/s: {rates}; a copy {best['gigabytes_a_second']:,.0f} GB/s"
    for host in (x for x in lines if x.get("what") == "host microseconds"):
        text += f"; the host takes {host['launch']:.1f} us to launch, {host['mark']:.2f} us to mark"
    return f"{text}.*"


def _phases(lines: Sequence[Line], part: str) -> str:
    found = _of(lines, part, "model", "engine")
    names = list(dict.fromkeys(name for line in found for name in line["phases"]))
    return _table(
        f"A short run of protocol {part}, seconds by phase",
        " | ".join(["model", "engine", *names, "images/s by size", "peak MiB"]),
        (
            [
                f"`{x['model']}`",
                x["engine"],
                *(_number(x["phases"].get(name)) for name in names),
                ", ".join(f"{size}: {rate:,.0f}" for size, rate in x["images_a_second"].items()),
                f"{x['peak_mib']:,.0f}",
            ]
            for x in found
        ),
    )


def _of(lines: Iterable[Line], part: str, *keys: str) -> list[Line]:
    """The lines of a part about different things; the last of those about the same."""
    found = {tuple(line.get(key) for key in keys): line for line in lines if line["part"] == part and keys[0] in line}
    return list(found.values())


def _table(title: str, columns: str, rows: Iterable[Sequence[object]]) -> str:
    body = [[str(cell) for cell in row] for row in rows]
    return f"**{title}**\n\n{table(columns.split(' | '), body)}".rstrip() if body else ""


def _ratio(above: float, below: float | None) -> str:
    return "–" if not below else f"{above / below:.2f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
