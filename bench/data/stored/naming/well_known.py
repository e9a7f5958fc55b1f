"""The layouts of public data sets that many people have, and of folders with plain names."""

from __future__ import annotations

import re

from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.patterns import patterns

_JOINT = "[ ._-]"
_COLOUR = "colou?rs?|rgb|image|img"
_MASK = "masks?|seg|label|alpha"

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
        "nyu2",
        "SCENE_out/N.jpg and SCENE_out/N.png, its depth, 255 at 10 m",
        patterns(
            bg_fg=(r"(?P<bg>[^/]+?)(?P<shot>(?<=\d)[a-z])?_out/(?P<n>\d+)", ".jpg"),
            depth=(r"(?P<bg>[^/]+?)(?P<shot>(?<=\d)[a-z])?_out/(?P<n>\d+)", ".png"),
        ),
        unit="8bit",
        encoding="metric, 1.0 = 10 m",
    ),
    Layout(
        "kitti",
        "DRIVE/image_02/data/N.png and DRIVE/proj_depth/groundtruth/image_02/N.png",
        patterns(
            bg_fg=r"(?P<drive>[^/]+)/(?P<camera>image_0[23])/data/(?P<n>\d+)",
            depth=r"(?P<drive>[^/]+)/proj_depth/groundtruth/(?P<camera>image_0[23])/(?P<n>\d+)",
        ),
        scene=re.compile(r"(?P<scene>[^/]+)/image_0[23]/data/", re.IGNORECASE),  # both cameras see the same street
        unit="kitti",
        partial=True,
    ),
    Layout(
        "tum",
        "rgb/SECONDS.png and depth/SECONDS.png, the nearest in time",
        patterns(bg_fg=r"rgb/(?P<time>\d+\.\d+)", depth=r"depth/(?P<time>\d+\.\d+)"),
        scene=re.compile(r"^(?P<scene>(?:.*/)?)rgb/", re.IGNORECASE),
        unit="tum",
        partial=True,
    ),
    Layout(
        "scannet",
        "color/N.jpg and depth/N.png",
        patterns(bg_fg=r"color/(?P<n>\d+)", depth=r"depth/(?P<n>\d+)"),
        scene=re.compile(r"^(?P<scene>(?:.*?scene\d+|(?:.*/)?))(?:_\d+)?(?:/.*)?color/", re.IGNORECASE),  # _01: again
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
        scene=re.compile(r"(?P<scene>scene_\d+)/", re.IGNORECASE),  # of several scans
        unit="m",
    ),
    Layout(
        "cdnet",
        "input/in000001.jpg and groundtruth/gt000001.png, shadows and rims as CDnet marks them",
        patterns(bg_fg=r"input/in(?P<n>\d+)", mask=r"groundtruth/gt(?P<n>\d+)"),
        mask_values="fg=255 unknown=85,170",
        partial=True,
    ),
    Layout(
        "suffixes",
        "X_rgb, X-color or X.color with X_depth and X_mask in the same folder",
        patterns(
            bg=rf"(?P<id>[^/]+?){_JOINT}(?:bg|background|plate)",
            bg_fg=rf"(?P<id>[^/]+?){_JOINT}(?:{_COLOUR})",
            mask=rf"(?P<id>[^/]+?){_JOINT}(?:{_MASK})",
            depth=rf"(?P<id>[^/]+?){_JOINT}depth(?:_?map)?",
        ),
    ),
    Layout(
        "prefixes",
        "rgb_0001 or color0001 with depth_0001 and mask_0001",
        patterns(
            bg=rf"(?:bg|background|plate){_JOINT}?(?P<id>\d[^/]*)",
            bg_fg=rf"(?:{_COLOUR}){_JOINT}?(?P<id>\d[^/]*)",
            mask=rf"(?:{_MASK}){_JOINT}?(?P<id>\d[^/]*)",
            depth=rf"depth(?:_?map)?{_JOINT}?(?P<id>\d[^/]*)",
        ),
    ),
    Layout(
        "folders",
        "images (or rgb, JPEGImages, input) with masks (or gt, labels), depth or both beside it, equal names",
        patterns(
            bg=r"(?:bg|backgrounds?|plates?)/(?P<id>[^/]+)",
            bg_fg=r"(?:(?:[\w-]+-)?images?|imgs?|im|rgb|colou?r|photos?|frames|originals?|input|jpegimages)/(?P<id>[^/]+)",
            mask=r"(?:(?:[\w-]+-)?masks?|labels?|annotations|alphas?|mattes?|gt|ground_?truth(?:_?masks?)?|"
            r"segmentation(?:s|class)?)/(?P<id>[^/]+?)(?:_mask|_seg|_label|_gt)?",
            depth=r"depth(?:s|_?maps?)?/(?P<id>[^/]+?)(?:_depth)?",
        ),
    ),
    Layout("pictures", "pictures alone, for a depth model (--depth-model)", patterns(bg_fg=r"(?P<id>[^/]+)")),
)
"""The particular ones first, those that fit almost any folder last."""
