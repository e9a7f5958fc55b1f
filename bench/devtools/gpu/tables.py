"""The tables of docs/gpu.md as data: which lines of a journal make rows of which, and what stands in their cells.

A journal keeps what is no finite number as a string ("nan"): `restored` makes numbers of those again. A cell that a
line has no figure for, or none of the kind that is expected, is a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.report.markdown import table

Line = Mapping[str, Any]
Cell = Callable[[Line], object]
DASH = "–"
_UNFIT = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
_NO_NUMBERS = {"nan", "inf", "-inf"}


def restored(value: Any) -> Any:
    """A journal's value with its infinities, and what is not a number, as floats."""
    if isinstance(value, str):
        return float(value) if value in _NO_NUMBERS else value
    if isinstance(value, dict):
        return {name: restored(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [restored(inner) for inner in value]
    return value


def cell(of: Cell, line: Line, missed: list[str] | None = None) -> str:
    """What stands in a cell; the part of a line without it is added to ``missed``."""
    try:
        return str(of(line))
    except _UNFIT:
        if missed is not None:
            missed.append(str(line.get("part")))
        return DASH


def lines_of(lines: Iterable[Line], part: str, *keys: str) -> list[Line]:
    """The lines of a part about different things; the last of those about the same."""
    found = {
        tuple(repr(line.get(key)) for key in keys): line
        for line in lines
        if line["part"] == part and line.get(keys[0]) is not None
    }
    return list(found.values())


def number(value: float | None) -> str:
    """Three digits; a dash for None, and what is no number as it is."""
    return DASH if value is None else value if isinstance(value, str) else f"{value:.3g}"


def ratio(above: float | None, below: float | None) -> str:
    """A quotient, or a dash."""
    return DASH if not above or not below else f"{above / below:.2f}"


@dataclass(frozen=True)
class Table:
    """A table of the lines of a part.

    Attributes:
        title: above it.
        part: whose lines.
        keys: what tells its rows apart; of lines that are equal in all of them the last counts.
        columns: heading and cell.
        wants: a figure that lines without are about something else.
    """

    title: str
    part: str
    keys: tuple[str, ...]
    columns: dict[str, Cell] = field(hash=False)
    wants: str | None = None

    def text(self, lines: Iterable[Line], missed: list[str]) -> str:
        """In Markdown; empty without rows."""
        found = [line for line in lines_of(lines, self.part, *self.keys) if self.wants is None or self.wants in line]
        return titled(self.title, self.columns, found, missed)


def titled(title: str, columns: Mapping[str, Cell], lines: Sequence[Line], missed: list[str]) -> str:
    """A row for every line, under a title; empty without lines."""
    body = [[cell(of, line, missed) for of in columns.values()] for line in lines]
    return f"**{title}**\n\n{table(list(columns), body)}".rstrip() if body else ""


def phases(lines: Sequence[Line], part: str, missed: list[str]) -> str:
    """Short runs of a protocol; its phases, whichever there are, are columns."""
    found = lines_of(lines, part, "model", "engine")
    whole = [line["phases"] for line in found if isinstance(line.get("phases"), dict)]
    columns: dict[str, Cell] = {
        "model": _MODEL,
        "engine": _ENGINE,
        **{name: _phase(name) for row in whole for name in row},
    }
    columns["images/s by size"] = lambda x: ", ".join(f"{k}: {rate:,.0f}" for k, rate in x["images_a_second"].items())
    columns["peak MiB"] = lambda x: f"{x['peak_mib']:,.0f}"
    return titled(f"A short run of protocol {part}, seconds by phase", columns, found, missed)


def _phase(name: str) -> Cell:
    return lambda line: number(line["phases"].get(name))


def _bound(line: Line) -> str:
    return "host" if line["host_bound"] else "device"


def _at_once(line: Line) -> str:
    return f"{line['chunk']:,}" if "chunk" in line else f"a loader of {line['loader']:,}"


_MODEL: Cell = lambda x: f"`{x['model']}`"  # noqa: E731
_ENGINE: Cell = lambda x: x["engine"]  # noqa: E731
_BATCH: Cell = lambda x: x["batch"]  # noqa: E731

BEFORE_PHASES = (
    Table(
        "A training step, bce_ssim, 64 px, ms",
        "steps",
        ("model", "batch"),
        {
            "model": _MODEL,
            "batch": _BATCH,
            "GMACs": lambda x: number(x["gmacs"] and x["gmacs"] * x["batch"]),
            "eager": lambda x: number(x["eager_ms"]),
            "enqueued by the host": lambda x: number(x["enqueue_ms"]),
            "graphed": lambda x: number(x.get("graphed_ms")),
            "eager / graphed": lambda x: ratio(x["eager_ms"], x.get("graphed_ms")),
            "bound by": _bound,
        },
    ),
    Table(
        "The whole loop over a bare loop in the same engine, images/s",
        "loop",
        ("model", "engine"),
        {
            "model": _MODEL,
            "engine": _ENGINE,
            "a run of some epochs": lambda x: f"{x['over_bare']:.3f}",
            "its epochs after the second": lambda x: f"{x['later_epochs']:.3f}",
        },
    ),
    Table(
        "An epoch over 400,000 composites at 64 px",
        "epoch",
        ("model", "engine", "batch"),
        {
            "model": _MODEL,
            "engine": _ENGINE,
            "batch": _BATCH,
            "seconds": lambda x: number(x["epoch_seconds"]),
            "images/s": lambda x: f"{x['images_a_second']:,.0f}",
            "before, once: s": lambda x: number(x.get("first_seconds")),
        },
        wants="epoch_seconds",
    ),
    Table(
        "Rendering at 64 px, packed, quartets/s",
        "rendering",
        ("source", "chunk", "loader"),
        {
            "source": lambda x: x["source"],
            "at once": _at_once,
            "quartets/s": lambda x: f"{x['quartets_a_second']:,.0f}",
            "ms": lambda x: number(x.get("ms")),
            "of these the host's": lambda x: number(x.get("enqueue_ms")),
        },
    ),
    Table(
        "Profiles at batch 128, 64 px",
        "profiles",
        ("model", "engine"),
        {
            "model": _MODEL,
            "engine": _ENGINE,
            "ms a step": lambda x: number(x["step_ms"]["value"]),
            "closure": lambda x: f"{x['closure']:.1%}",
            "perturbation": lambda x: f"{x['perturbation']['value'] - 1:+.2%}",
            "bound by": _bound,
            "not trustworthy, as": lambda x: "; ".join(x["caveats"]),
        },
    ),
    Table(
        "First steps by stage of protocol standard",
        "stages",
        ("model", "size"),
        {
            "model": _MODEL,
            "px": lambda x: x["size"],
            "batch": _BATCH,
            "seconds of the first, second, third step": lambda x: ", ".join(map(number, x["step_seconds"])),
            "peak MiB of each": lambda x: ", ".join(f"{mib:,.0f}" for mib in x["peak_mib"]),
        },
    ),
    Table(
        "Losses of the first steps of `unet`, greatest relative difference",
        "departure",
        ("precision",),
        {
            "precision": lambda x: x["precision"],
            "eager from eager": lambda x: number(x.get("eager_from_eager")),
            "graphed from eager": lambda x: number(x.get("graphed_from_eager")),
            "eager from eager, weights rounded otherwise": lambda x: number(x.get("rounding_spread")),
        },
    ),
)
AFTER_PHASES = (
    Table(
        "torch.compile",
        "compiled",
        ("model", "batch"),
        {
            "model": _MODEL,
            "batch": _BATCH,
            "ms a step": lambda x: number(x["compiled_ms"]),
            "enqueued by the host": lambda x: number(x.get("enqueue_ms")),
            "seconds until the first step": lambda x: number(x["first_seconds"]),
        },
        wants="compiled_ms",
    ),
)
