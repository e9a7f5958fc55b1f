"""How the blocks of a step are shown: their order, the pass that each belongs to, and a colour family per pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from bench.core.record import Record
from bench.core.record.timings import HOST_BOUND, LOSS_BACKWARD

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

BLOCKS = ("data_wait", "h2d", "augment", "forward", "loss", "backward", "optimizer", "unattributed", "metrics")
"""Blocks of a record's timings, in the order in which they are shown; ``metrics`` is timed in evaluation."""

# Chosen so that no two shades of different passes come near each other, neither with normal colour vision nor
# with a colour deficiency (Machado, Oliveira and Fernandes 2009).
FAMILIES: dict[str, Colour] = {
    "data": (192, 200, 210),
    "forward": (10, 92, 192),
    "loss": (127, 201, 127),
    "backward": (255, 176, 0),
    "optimizer": (168, 65, 127),
    "other": (213, 94, 0),
    "unattributed": (140, 140, 140),
}
_PASS_OF = {"data_wait": "data", "h2d": "data", "augment": "data", LOSS_BACKWARD: "backward"}
_LIGHTEST, _DARKEST = 0.4, -0.1  # of a family: the share of white, or of black, that is mixed in
_DARK_TEXT, _LIGHT_TEXT = (17, 17, 17), (255, 255, 255)
_BRIGHT = 0.18  # luminance on which both have the same contrast


def pass_of(name: str) -> str:
    """The pass that a block belongs to: data, forward, loss, backward, optimizer, other or unattributed."""
    found = _PASS_OF.get(name, name.partition("/")[0].partition(" ")[0])
    return found if found in FAMILIES else "other"


def shades(names: Sequence[str]) -> list[Colour]:
    """A colour for each block; among consecutive blocks of the same pass, earlier blocks are lighter."""
    found = []
    for family, group in groupby(names, key=pass_of):
        count = len([*group])
        for i in range(count):
            tint = _LIGHTEST + (_DARKEST - _LIGHTEST) * i / (count - 1) if count > 1 else 0.0
            found.append(_mixed(FAMILIES[family], tint))
    return found


def text_on(colour: Colour) -> Colour:
    """Black or white, whichever has more contrast on a colour."""
    return _DARK_TEXT if _luminance(colour) > _BRIGHT else _LIGHT_TEXT


def css(colour: Colour) -> str:
    """A colour in CSS notation: ``#0a5cc0``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def block_ms(record: Record, name: str) -> float | None:
    """Median milliseconds of a block of `BLOCKS` and all blocks within it."""
    timings = record.evaluation if name == "metrics" else record.timings
    parts = [t.median_ms for block, t in timings.blocks.items() if block == name or block.startswith(f"{name}/")]
    return sum(parts) if parts else None


def of_launches(record: Record) -> bool:
    """Whether the blocks of training are launch times, as the device waited for the host."""
    return bool(record.facts.get("blocks") == HOST_BOUND)


def _mixed(colour: Colour, share: float) -> Colour:
    """A colour mixed with a share of white, or of black where the share is negative."""
    towards = 255 if share > 0 else 0
    red, green, blue = (round(part + (towards - part) * abs(share)) for part in colour)
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (math.pow(part / 255, 2.2) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
