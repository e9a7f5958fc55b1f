"""The layouts of the five published data sets, and ``pairs``, which is written where nothing may be lost."""

from __future__ import annotations

from bench.data.stored.naming.layout import Layout, Meaning
from bench.data.stored.naming.patterns import Ids, patterns

PER_BACKGROUND, PER_PART, PER_PAIR = 800, 80_000, 40
"""Of layout 000: files per background and part, files per part, files per background and object."""


def _numbered(ids: Ids) -> Meaning:
    """000: loops over backgrounds, 20 objects a part, 20 positions, plain and mirrored."""
    n = int(ids["n"]) - 1
    part = n // PER_PART
    place = n % PER_PART
    item = 20 * part + place % PER_BACKGROUND // PER_PAIR + 1
    return str(place // PER_BACKGROUND + 1), str(item), str(n + 1)


def _numbers(bg: str, item: str) -> tuple[str, ...]:
    return f"bg{bg}", f"bg_{bg}", f"b{bg}", bg


_BACKGROUNDS = r"bg/(?P<stem>[^/]+)"
_FLIP_001 = r"(?P<bg>[^/]+?)_bg_(?P<fg>[^/]+?)_fg(?P<flip>flip)?(?P<n>(?:_?\d+)*)"
_PAIR_002 = r"b(?P<bg>\d+)_f(?P<fg>\d+)_(?P<n>\d+)"
_PAIR_003 = r"bg_?(?P<bg>\d+)_fg_?(?P<fg>\d+)(?P<flip>_01(?=_\d))?_(?P<n>\d{3,})(?P<mirror>_01)?"
_PAIR_004 = r"bg_?(?P<bg>\d+)_fg_?(?P<fg>\d+)_(?P<n>\d+)"
_PER_IMAGE = "per image from least to greatest, as a teacher saw it"
_TEACHER = "8-bit map, 1.0 = 255, as a teacher saw it"

PUBLISHED = (
    Layout(
        "000",
        "numbered files in parts of 80,000, 800 a background",
        patterns(
            bg=r"backgrounds?/(?P<stem>bg\d+)",
            bg_fg=r"fg-bg/fg-bg(?P<n>\d+)",
            mask=r"fg-bg-mask/fg-bg-mask(?P<n>\d+)",
            depth=r"depth/depth(?P<n>\d+)",
        ),
        _numbered,
        _numbers,
        unit="8bit",
        encoding=_PER_IMAGE,
    ),
    Layout(
        "001",
        "X_bg_Y_fg and X_bg_Y_fgFlip, masks with _mask",
        patterns(
            mask=rf"bg_fg(?:flip)?_mask[^/]*/{_FLIP_001}_mask(?P<m>(?:_\d+)*)",
            depth=rf"depth_?map[^/]*/{_FLIP_001}(?:_depth[^/]*)?",
            bg_fg=rf"bg_fg(?:flip)?(?:_\d+)?/{_FLIP_001}",
            bg=r"(?:bg|backgrounds?)/(?P<stem>[^/]+)",
        ),
        # some name the background by all that stands before _fg
        backgrounds=lambda bg, item: (f"{bg}_bg_{item}", f"{bg}_bg", *_numbers(bg, item)),
        unit="colormap",
    ),
    Layout(
        "002",
        "bgfg_b001_f001_0 in bg_fg, with mask, depth and bg",
        patterns(
            bg=_BACKGROUNDS,
            bg_fg=rf"bg_fg/bgfg_{_PAIR_002}",
            mask=rf"mask/mask_{_PAIR_002}",
            depth=rf"depth/(?:dense)?depth_{_PAIR_002}",
        ),
        backgrounds=_numbers,
        by_order=True,
        unit="8bit",
        encoding=_PER_IMAGE,
    ),
    Layout(
        "003",
        "bg_001_fg_001_001 in BG_FG, BG_FG Masks and DepthMaps",
        patterns(
            bg=_BACKGROUNDS,
            bg_fg=rf"bg_fg/{_PAIR_003}",
            mask=rf"bg_fg[ _]masks?/{_PAIR_003}(?:_masks?(?:_\d+)?)?",
            depth=rf"depth_?maps?/{_PAIR_003}(?:_depth_?map(?:_\d+)?)?",
        ),
        backgrounds=_numbers,
        by_order=True,
        unit="8bit",
        encoding=_TEACHER,
    ),
    Layout(
        "004",
        "bg001_fg001_01, paired by file_map.txt if it is there",
        patterns(
            bg=_BACKGROUNDS,
            bg_fg=rf"bg_fg/{_PAIR_004}",
            mask=rf"bg_fg_mask/{_PAIR_004}_mask",
            depth=rf"bg_fg_depth_map/{_PAIR_004}_depth_map",
        ),
        backgrounds=_numbers,
        unit="8bit",
        encoding=_TEACHER,
        table="file_map.txt",
        companions=("bbox.txt",),
    ),
)
"""As their authors published them."""

PAIRS = Layout(
    "pairs",
    "folders bg, bg_fg, mask and depth; bg00001_fg00001_001.png",
    patterns(
        bg=r"bg/(?P<stem>bg\d+)",
        bg_fg=rf"bg_fg/{_PAIR_004}",
        mask=rf"mask/{_PAIR_004}",
        depth=rf"depth/{_PAIR_004}",
    ),
    backgrounds=_numbers,
)
"""Lossless: what `bench.data.stored.export` writes for people who train on it again."""
