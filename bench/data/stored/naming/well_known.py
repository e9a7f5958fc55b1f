"""The layouts of public data sets that many people have, and of folders with plain names."""

from __future__ import annotations

from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.patterns import patterns

WELL_KNOWN = (
    Layout(
        "quartets",
        "folders bg, bg_fg, mask and depth (one may be missing) with equal names",
        patterns(
            bg=r"(?:bg|backgrounds?)/(?P<id>[^/]+)",
            bg_fg=r"(?:bg_fg|composites?)/(?P<id>[^/]+)",
            mask=r"masks?/(?P<id>[^/]+)",
            depth=r"depths?/(?P<id>[^/]+)",
        ),
    ),
    Layout(
        "carvana",
        "train/X_01.jpg and train_masks/X_01_mask.gif",
        patterns(
            mask=r"(?P<set>\w+?)_masks/(?P<fg>[^/]+?)_(?P<n>\d\d)_mask",
            bg_fg=(r"(?P<set>\w+?)/(?P<fg>[^/]+?)_(?P<n>\d\d)", ".jpg"),
        ),
        partial=True,
    ),
    Layout(
        "pets",
        "images/X.jpg and annotations/trimaps/X.png, the rim unknown",
        patterns(
            mask=(r"annotations/trimaps/(?P<file>[^/.][^/]*)", ".png"),
            bg_fg=(r"images/(?P<file>[^/]+)", ".jpg"),
        ),
        mask_values="fg=1 unknown=3",
        partial=True,
    ),
    Layout(
        "nyu",
        "X_colors.png and X_depth.png",
        patterns(bg_fg=r"(?P<id>[^/]+)_colors?", depth=r"(?P<id>[^/]+)_depth"),
        unit="mm",
    ),
    Layout(
        "kitti",
        "DRIVE/image_02/data/N.png and DRIVE/proj_depth/groundtruth/image_02/N.png",
        patterns(
            bg_fg=r"(?P<drive>[^/]+)/(?P<camera>image_0[23])/data/(?P<n>\d+)",
            depth=r"(?P<drive>[^/]+)/proj_depth/groundtruth/(?P<camera>image_0[23])/(?P<n>\d+)",
        ),
        unit="kitti",
        partial=True,
    ),
    Layout(
        "tum",
        "rgb/SECONDS.png and depth/SECONDS.png, the nearest in time",
        patterns(bg_fg=r"rgb/(?P<time>\d+\.\d+)", depth=r"depth/(?P<time>\d+\.\d+)"),
        unit="tum",
        partial=True,
    ),
    Layout(
        "scannet",
        "color/N.jpg and depth/N.png",
        patterns(bg_fg=r"color/(?P<n>\d+)", depth=r"depth/(?P<n>\d+)"),
        unit="mm",
        partial=True,
    ),
    Layout(
        "diode",
        "X.png, X_depth.npy and X_depth_mask.npy",
        patterns(
            valid=(r"(?P<id>[^/]+)_depth_mask", ".npy"),
            depth=(r"(?P<id>[^/]+)_depth", ".npy"),
            bg_fg=(r"(?P<id>[^/]+)", ".png"),
        ),
        unit="m",
    ),
    Layout(
        "folders",
        "images (or rgb) with masks, depth or both beside it, equal names",
        patterns(
            bg=r"(?:bg|backgrounds?|plates?)/(?P<id>[^/]+)",
            bg_fg=r"(?:images?|imgs?|rgb|photos?|frames)/(?P<id>[^/]+)",
            mask=r"(?:masks?|labels?|annotations|alpha)/(?P<id>[^/]+?)(?:_mask|_seg|_label)?",
            depth=r"depth(?:s|_?maps?)?/(?P<id>[^/]+?)(?:_depth)?",
        ),
    ),
    Layout("pictures", "pictures alone, for a depth model (--depth-model)", patterns(bg_fg=r"(?P<id>[^/]+)")),
)
"""The particular ones first, those that fit almost any folder last."""
