"""What may stand or hang in a room, and where, as data; sizes in metres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tone:
    """The colours that a surface may have.

    Attributes:
        darkest, spread: brightness is drawn from ``darkest`` to ``darkest + spread``.
        tint: share of it that each channel draws for itself.
        warm: how much red is favoured over blue.
    """

    darkest: float
    spread: float
    tint: float
    warm: float = 0.0


WALL, FLOOR, CEILING = Tone(0.45, 0.5, 0.35), Tone(0.2, 0.5, 0.2, warm=0.16), Tone(0.72, 0.25, 0.2)
ACCENT, _WOODEN, _FREE = Tone(0.15, 0.75, 0.5), Tone(0.15, 0.6, 0.15, warm=0.25), Tone(0.08, 0.82, 0.55)
_WINDOW, _DOOR = Tone(0.85, 0.14, 0.5), Tone(0.3, 0.65, 0.25, warm=0.08)


@dataclass(frozen=True)
class Item:
    """What may stand or hang in a slot; sizes are ranges in metres."""

    name: str
    width: tuple[float, float]
    height: tuple[float, float]
    depth: tuple[float, float]
    elevation: tuple[float, float]
    patterns: tuple[str, ...]
    tone: Tone
    glow: float = 0.0


@dataclass(frozen=True)
class Slot:
    """A place along a wall, ``back``, ``left`` or ``right`` (or on the ``floor``), and what may stand or hang in it."""

    wall: str
    along: tuple[float, float]
    items: tuple[str, ...]
    filled: float


_WOOD = ("drawers", "panels", "plain")
ITEMS = {
    item.name: item
    for item in (
        Item("cupboard", (0.9, 1.6), (1.6, 2.1), (0.4, 0.6), (0, 0), ("panels", "drawers"), _WOODEN),
        Item("bookcase", (0.8, 1.6), (1.4, 2.1), (0.25, 0.4), (0, 0), ("books",), _FREE),
        Item("sideboard", (0.9, 1.9), (0.6, 0.95), (0.35, 0.55), (0, 0), _WOOD, _WOODEN),
        Item("sofa", (1.4, 2.2), (0.7, 0.9), (0.6, 0.75), (0, 0), ("cushions", "stripes"), _FREE),
        Item("desk", (1.0, 1.6), (0.7, 0.78), (0.5, 0.7), (0, 0), _WOOD, _WOODEN),
        Item("picture", (0.5, 1.1), (0.4, 0.9), (0.03, 0.05), (1.1, 1.4), ("painting", "damask", "cloudy"), _FREE),
        Item("board", (1.2, 2.0), (0.8, 1.1), (0.03, 0.05), (0.9, 1.1), ("panes", "tiles"), ACCENT),
        Item("window", (0.8, 1.7), (0.9, 1.2), (0.03, 0.05), (0.8, 1.0), ("panes",), _WINDOW, glow=0.9),
        Item("door", (0.8, 0.95), (1.95, 2.05), (0.03, 0.06), (0, 0), ("panels",), _DOOR),
        Item("rug", (1.4, 2.4), (0.01, 0.02), (1.2, 2.2), (0, 0), ("bands", "damask", "checks", "stripes"), ACCENT),
    )
}
_FURNITURE = ("cupboard", "bookcase", "sideboard", "sofa", "desk")
_FLAT = ("picture", "board", "window", "door")
SLOTS = (
    Slot("back", (0.05, 0.35), _FURNITURE, 0.75),
    Slot("back", (0.60, 0.95), _FLAT, 0.85),
    Slot("back", (0.25, 0.55), _FLAT, 0.6),
    Slot("left", (0.35, 0.85), _FURNITURE, 0.65),
    Slot("right", (0.35, 0.9), _FURNITURE, 0.5),
    Slot("right", (0.3, 0.7), _FLAT, 0.7),
    Slot("floor", (0.45, 0.7), ("rug",), 0.55),
)
