"""The layouts of files that are known by name: the five published ones, and those of sets that many people have.

A layout says which names hold which field, what the parsed ids mean, and how depth and masks are written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.data.stored.naming import Ids, Pattern, parse_patterns, pattern

Meaning = tuple[str, str, str]
"""What the ids of a picture mean: background, object (a mirror image being the object it mirrors), and the rest."""


@dataclass(frozen=True)
class Layout:
    """One way to name files.

    Attributes:
        name: as it is given to ``--files``.
        summary: a line for lists.
        patterns: which names hold which field; the first that fits a name takes it.
        meaning: what the ids of a picture mean.
        backgrounds: names, without suffix, that the background of an id may have.
        by_order: whether backgrounds whose names carry no number are counted off in alphabetical order.
        unit: of depth, a key of `DEPTH_UNITS`, or ``auto``.
        encoding: what the layout's authors made a depth of 1.0 mean, where that is not the unit's.
        mask_values: values of masks that mean something else than white on black, see `mask_values`.
        partial: whether pictures without a partner are usual, and left out silently.
        table: the text file that pairs names, where there is one.
    """

    name: str
    summary: str
    patterns: tuple[Pattern, ...]
    meaning: Callable[[Ids], Meaning]
    backgrounds: Callable[[str], tuple[str, ...]] = lambda bg: (bg,)
    by_order: bool = False
    unit: str = "auto"
    encoding: str | None = None
    mask_values: str | None = None
    partial: bool = False
    table: str | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The fields that files may hold."""
        return frozenset(pattern.field for pattern in self.patterns)


PER_BACKGROUND, PER_PART, PER_PAIR = 800, 80_000, 40
"""Of layout 000: files of one background in a part, files of a part, files of one background and object."""


def _numbered(ids: Ids) -> Meaning:
    """000: loops over backgrounds, 20 objects a part, 20 positions, plain and mirrored."""
    n = int(ids["n"]) - 1
    part = n // PER_PART
    place = n % PER_PART
    item = 20 * part + place % PER_BACKGROUND // PER_PAIR + 1
    return str(place // PER_BACKGROUND + 1), str(item), str(n + 1)


def _by_ids(ids: Ids) -> Meaning:
    rest = "/".join(ids[name] for name in sorted(ids) if name not in ("bg", "fg"))
    return ids.get("bg", ""), ids.get("fg", ""), rest


def _numbers(bg: str) -> tuple[str, ...]:
    return f"bg{bg}", f"bg_{bg}", f"b{bg}", bg


_FLIP_001 = r"(?P<bg>[^/]+?)_bg_(?P<fg>[^/]+?)_fg(?P<flip>flip)?(?P<n>(?:_?\d+)*)"
_PAIR_003 = r"bg_?(?P<bg>\d+)_fg_?(?P<fg>\d+)(?P<flip>_01(?=_\d))?_(?P<n>\d{3,})(?P<mirror>_01)?"
_PAIR_004 = r"bg_?(?P<bg>\d+)_fg_?(?P<fg>\d+)_(?P<n>\d+)"
_PAIR_002 = r"b(?P<bg>\d+)_f(?P<fg>\d+)_(?P<n>\d+)"
_PER_IMAGE = "per image from least to greatest, as a teacher saw it"
_TEACHER = "8-bit map, 1.0 = 255, as a teacher saw it"

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            "000",
            "numbered files in parts of 80,000, 800 a background",
            (
                pattern("bg", r"backgrounds?/(?P<stem>bg\d+)"),
                pattern("bg_fg", r"fg-bg/fg-bg(?P<n>\d+)"),
                pattern("mask", r"fg-bg-mask/fg-bg-mask(?P<n>\d+)"),
                pattern("depth", r"depth/depth(?P<n>\d+)"),
            ),
            _numbered,
            _numbers,
            unit="8bit",
            encoding=_PER_IMAGE,
        ),
        Layout(
            "001",
            "X_bg_Y_fg and X_bg_Y_fgFlip, masks with _mask",
            (
                pattern("mask", rf"bg_fg(?:flip)?_mask[^/]*/{_FLIP_001}_mask(?P<m>(?:_\d+)*)"),
                pattern("depth", rf"depth_?map[^/]*/{_FLIP_001}(?:_depth[^/]*)?"),
                pattern("bg_fg", rf"bg_fg(?:flip)?(?:_\d+)?/{_FLIP_001}"),
                pattern("bg", r"(?:bg|backgrounds?)/(?P<stem>[^/]+)"),
            ),
            _by_ids,
            lambda bg: (f"{bg}_bg", *_numbers(bg)),
            unit="colormap",
        ),
        Layout(
            "002",
            "bgfg_b001_f001_0 in bg_fg, with mask, depth and bg",
            (
                pattern("bg", r"bg/(?P<stem>[^/]+)"),
                pattern("bg_fg", rf"bg_fg/bgfg_{_PAIR_002}"),
                pattern("mask", rf"mask/mask_{_PAIR_002}"),
                pattern("depth", rf"depth/(?:dense)?depth_{_PAIR_002}"),
            ),
            _by_ids,
            _numbers,
            by_order=True,
            unit="8bit",
            encoding=_PER_IMAGE,
        ),
        Layout(
            "003",
            "bg_001_fg_001_001 in BG_FG, BG_FG Masks and DepthMaps",
            (
                pattern("bg", r"bg/(?P<stem>[^/]+)"),
                pattern("bg_fg", rf"bg_fg/{_PAIR_003}"),
                pattern("mask", rf"bg_fg[ _]masks?/{_PAIR_003}(?:_masks?(?:_\d+)?)?"),
                pattern("depth", rf"depth_?maps?/{_PAIR_003}(?:_depth_?map(?:_\d+)?)?"),
            ),
            _by_ids,
            _numbers,
            by_order=True,
            unit="8bit",
            encoding=_TEACHER,
        ),
        Layout(
            "004",
            "bg001_fg001_01, paired by file_map.txt",
            (
                pattern("bg", r"bg/(?P<stem>[^/]+)"),
                pattern("bg_fg", rf"bg_fg/{_PAIR_004}"),
                pattern("mask", rf"bg_fg_mask/{_PAIR_004}_mask"),
                pattern("depth", rf"bg_fg_depth_map/{_PAIR_004}_depth_map"),
            ),
            _by_ids,
            _numbers,
            unit="8bit",
            encoding=_TEACHER,
            table="file_map.txt",
        ),
        Layout(
            "pairs",
            "folders bg, bg_fg, mask and depth; bg00001_fg00001_001.png",
            (
                pattern("bg", r"bg/(?P<stem>bg\d+)"),
                pattern("bg_fg", rf"bg_fg/{_PAIR_004}"),
                pattern("mask", rf"mask/{_PAIR_004}"),
                pattern("depth", rf"depth/{_PAIR_004}"),
            ),
            _by_ids,
            _numbers,
        ),
        Layout(
            "quartets",
            "folders bg, bg_fg, mask and depth (one may be missing) with equal names",
            (
                pattern("bg", r"(?:bg|backgrounds?)/(?P<id>[^/]+)"),
                pattern("bg_fg", r"(?:bg_fg|composites?)/(?P<id>[^/]+)"),
                pattern("mask", r"masks?/(?P<id>[^/]+)"),
                pattern("depth", r"depths?/(?P<id>[^/]+)"),
            ),
            _by_ids,
        ),
        Layout(
            "carvana",
            "train/X_01.jpg and train_masks/X_01_mask.gif",
            (
                pattern("mask", r"(?P<set>\w+?)_masks/(?P<fg>[^/]+?)_(?P<n>\d\d)_mask"),
                pattern("bg_fg", r"(?P<set>\w+?)/(?P<fg>[^/]+?)_(?P<n>\d\d)", ".jpg"),
            ),
            _by_ids,
            partial=True,
        ),
        Layout(
            "pets",
            "images/X.jpg and annotations/trimaps/X.png, the rim unknown",
            (
                pattern("mask", r"annotations/trimaps/(?P<file>[^/.][^/]*)", ".png"),
                pattern("bg_fg", r"images/(?P<file>[^/]+)", ".jpg"),
            ),
            _by_ids,
            mask_values="fg=1 unknown=3",
            partial=True,
        ),
        Layout(
            "nyu",
            "X_colors.png and X_depth.png",
            (
                pattern("bg_fg", r"(?P<id>[^/]+)_colors?"),
                pattern("depth", r"(?P<id>[^/]+)_depth"),
            ),
            _by_ids,
            unit="mm",
        ),
        Layout(
            "kitti",
            "DRIVE/image_02/data/N.png and DRIVE/proj_depth/groundtruth/image_02/N.png",
            (
                pattern("bg_fg", r"(?P<drive>[^/]+)/(?P<camera>image_0[23])/data/(?P<n>\d+)"),
                pattern("depth", r"(?P<drive>[^/]+)/proj_depth/groundtruth/(?P<camera>image_0[23])/(?P<n>\d+)"),
            ),
            _by_ids,
            unit="kitti",
            partial=True,
        ),
        Layout(
            "tum",
            "rgb/SECONDS.png and depth/SECONDS.png, the nearest in time",
            (
                pattern("bg_fg", r"rgb/(?P<time>\d+\.\d+)"),
                pattern("depth", r"depth/(?P<time>\d+\.\d+)"),
            ),
            _by_ids,
            unit="tum",
            partial=True,
        ),
        Layout(
            "scannet",
            "color/N.jpg and depth/N.png",
            (
                pattern("bg_fg", r"color/(?P<n>\d+)"),
                pattern("depth", r"depth/(?P<n>\d+)"),
            ),
            _by_ids,
            unit="mm",
            partial=True,
        ),
        Layout(
            "diode",
            "X.png, X_depth.npy and X_depth_mask.npy",
            (
                pattern("valid", r"(?P<id>[^/]+)_depth_mask", ".npy"),
                pattern("depth", r"(?P<id>[^/]+)_depth", ".npy"),
                pattern("bg_fg", r"(?P<id>[^/]+)", ".png"),
            ),
            _by_ids,
            unit="m",
        ),
        Layout(
            "folders",
            "images (or rgb) with masks, depth or both beside it, equal names",
            (
                pattern("bg", r"(?:bg|backgrounds?|plates?)/(?P<id>[^/]+)"),
                pattern("bg_fg", r"(?:images?|imgs?|rgb|photos?|frames)/(?P<id>[^/]+)"),
                pattern("mask", r"(?:masks?|labels?|annotations|alpha)/(?P<id>[^/]+?)(?:_mask|_seg|_label)?"),
                pattern("depth", r"depth(?:s|_?maps?)?/(?P<id>[^/]+?)(?:_depth)?"),
            ),
            _by_ids,
        ),
    )
}
"""By name."""
PUBLISHED = ("000", "001", "002", "003", "004")


def find_layout(files: str) -> Layout | None:
    """The layout that ``--files`` names or spells out; None where it is to be recognised (``auto``).

    Raises:
        BenchError: neither a name nor patterns.
    """
    if files == "auto":
        return None
    if files in LAYOUTS:
        return LAYOUTS[files]
    if "=" not in files:
        raise BenchError(f"unknown layout {files!r}; there are: auto, {', '.join(LAYOUTS)}, or patterns of your own")
    return Layout("pattern", "patterns of one's own", parse_patterns(files), _by_ids)
