"""Quartets side by side in a picture, for people: background, picture, mask, depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from torch import Tensor

from bench.data.images.colour_maps import painted
from bench.data.inspection.inspection import suspicious
from bench.data.split import Part
from registry.contract import Quartet

_GAP, _LABEL = 4, 14
_COLOURS = "viridis"
_PAPER = (255, 255, 255)
_INK = (40, 40, 40)
_UNKNOWN = (128, 128, 128)

Pixels = npt.NDArray[np.uint8]


def contact_sheet(
    quartets: Mapping[Part, Quartet],
    backgrounds: Mapping[Part, Tensor] | None = None,
    each: int = 4,
    doubtful: int = 2,
    side: int = 96,
) -> Image.Image:
    """A row for some quartets of every part, the most suspicious of each part last.

    Args:
        quartets: by part.
        backgrounds: numbers of their backgrounds, (B,), by part.
        each: of every part, the first.
        doubtful: more of every part, the first that `suspicious` names.
        side: of a picture, pixels.

    Returns:
        Columns are bg, bg_fg, mask and depth (near dark, far light), as far as the data has them; grey where unknown.
    """
    columns = [
        name for name in ("bg", "bg_fg", "mask", "depth") if any(name in dict(q.tensors()) for q in quartets.values())
    ]
    rows: list[tuple[str, dict[str, Pixels]]] = []
    for part, quartet in quartets.items():
        chosen = list(range(min(each, len(quartet))))
        chosen += [i for i in suspicious(quartet, doubtful + each, (backgrounds or {}).get(part)) if i not in chosen][
            :doubtful
        ]
        rows += [(_label(part, i, quartet), _pictures(quartet, i)) for i in chosen]
    wide = _wide(rows, side)
    per_row = 2 if len(rows) > 6 else 1
    cell = (len(columns) * (side + _GAP) + 3 * _GAP, side + _LABEL + _GAP)
    lines = -(-len(rows) // per_row)
    sheet = Image.new("RGB", (per_row * cell[0] + _GAP, lines * cell[1] + _LABEL + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (label, pictures) in enumerate(wide):
        left, top = _GAP + number // lines * cell[0], _LABEL + number % lines * cell[1]
        draw.text((left, top), label, fill=_INK)
        for at, name in enumerate(columns):
            if name in pictures:
                sheet.paste(pictures[name], (left + at * (side + _GAP), top + _LABEL))
    for at in range(per_row):
        for column, name in enumerate(columns):
            draw.text((_GAP + at * cell[0] + column * (side + _GAP), 0), name, fill=_INK)
    return sheet


def _label(part: str, i: int, quartet: Quartet) -> str:
    covered = "" if quartet.mask is None else f"  mask {float((quartet.mask[i] > 0.5).float().mean()):.1%}"
    known = "" if quartet.valid is None else f"  depth known {float(quartet.valid[i].mean()):.0%}"
    return f"{part} {i}{covered}{known}"


def _pictures(quartet: Quartet, i: int) -> dict[str, Pixels]:
    found = {name: _colours(image[i]) for name, image in quartet.tensors() if name in ("bg", "bg_fg")}
    for name in ("mask", "depth"):
        target = quartet.target(name)
        if target is None:
            continue
        levels = (target.value[i, 0] * 255).round().byte().numpy()
        pixels = painted(levels, _COLOURS) if name == "depth" else np.repeat(levels[..., None], 3, axis=2)
        if target.valid is not None:
            pixels = np.where(target.valid[i, 0].numpy()[..., None] > 0.5, pixels, np.array(_UNKNOWN, dtype=np.uint8))
        found[name] = pixels
    return found


def _colours(image: Tensor) -> Pixels:
    pixels: Pixels = (image * 255).round().byte().permute(1, 2, 0).numpy()
    return pixels


def _wide(rows: Sequence[tuple[str, dict[str, Pixels]]], side: int) -> list[tuple[str, dict[str, Image.Image]]]:
    return [
        (
            label,
            {
                name: Image.fromarray(np.ascontiguousarray(p)).resize((side, side), Image.Resampling.NEAREST)
                for name, p in pictures.items()
            },
        )
        for label, pictures in rows
    ]
