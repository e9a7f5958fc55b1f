"""Bars: as text, and as a picture of steps with their blocks stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from bench.report.blocks import shades, text_on

_EIGHTHS = " ▏▎▍▌▋▊▉"
_WIDTH, _HEIGHT = 1200, 60
_MARGIN, _TITLE, _LINE, _SWATCH = 24, 26, 24, 14
_COLUMNS = 3
_LABEL = 54
"""Least width in pixels of a segment that is labelled with its share."""


@dataclass(frozen=True)
class Stack:
    """A bar: its title, and its segments in order as (name, milliseconds)."""

    title: str
    segments: Sequence[tuple[str, float]]

    @property
    def length(self) -> float:
        """The sum of the segments, milliseconds."""
        return sum(length for _, length in self.segments)


def bar(share: float, width: int) -> str:
    """A bar of ``share`` (0 to 1) of ``width`` characters, in steps of an eighth of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def stacked_bars(stacks: Sequence[Stack]) -> Image.Image:
    """Bars on a common scale, each with a legend of its blocks, their milliseconds and shares."""
    longest = max(stack.length for stack in stacks)
    heights = [_TITLE + _HEIGHT + _MARGIN // 2 + _LINE * _rows(stack) + _MARGIN for stack in stacks]
    sheet = Image.new("RGB", (_WIDTH, _MARGIN + sum(heights)), "white")
    pen = ImageDraw.Draw(sheet)
    top = _MARGIN
    for stack, height in zip(stacks, heights, strict=True):
        _draw(pen, stack, top, (_WIDTH - 2 * _MARGIN) / longest)
        top += height
    return sheet


def _rows(stack: Stack) -> int:
    return -(-len(stack.segments) // _COLUMNS)


def _draw(pen: ImageDraw.ImageDraw, stack: Stack, top: int, scale: float) -> None:
    large, small = ImageFont.load_default(size=17), ImageFont.load_default(size=14)
    pen.text((_MARGIN, top), f"{stack.title}: {stack.length:.1f} ms", fill="black", font=large)
    top += _TITLE
    left, column = float(_MARGIN), (_WIDTH - 2 * _MARGIN) // _COLUMNS
    colours = shades([name for name, _ in stack.segments])
    for i, (name, length) in enumerate(stack.segments):
        right, share = left + length * scale, length / stack.length
        if right - left >= 0.5:
            pen.rectangle((left, top, right, top + _HEIGHT), fill=colours[i], outline="white")
        if right - left >= _LABEL:
            ink = text_on(colours[i])
            pen.text(((left + right) / 2, top + _HEIGHT / 2), f"{share:.0%}", fill=ink, font=small, anchor="mm")
        left = right
        x = _MARGIN + column * (i // _rows(stack))
        y = top + _HEIGHT + _MARGIN // 2 + _LINE * (i % _rows(stack))
        pen.rectangle((x, y + 2, x + _SWATCH, y + 2 + _SWATCH), fill=colours[i])
        pen.text((x + _SWATCH + 8, y), f"{name}  {length:.2f} ms  {share:.1%}", fill="black", font=small)
