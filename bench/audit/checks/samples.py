"""What samples of all parts show, measured on their pixels: copies between the parts, tiny objects, doubtful depth."""

from __future__ import annotations

import re

import numpy as np
import torch
from torch import Tensor

from bench.audit.setup import Setup
from bench.core.finding import Fault, Finding, conclude
from bench.data.depth_units import DEPTH_UNITS, DepthFacts, DepthUnit, doubt
from bench.data.images.similarity import NEAR, difference_hash, distances, is_flat, object_pictures
from registry.contract import Quartet

_SAME_OBJECT = 0.04
"""Mean difference of two pictures of the same cut-out: .02 to .05, as it is scaled when pasted; others are from .04.

Of a cut-out under two names so most samples are found, and of ten sets of rendered figures none is taken for another.
"""
_TINY, _FILLS = 0.005, 0.9
"""Share of the image that the median object covers: below and above are no objects that anybody would paste."""
_AT_ONCE = 64


def neighbours(setup: Setup) -> Finding:
    """Whether test samples resemble training samples of another group: the same scene or object under two names."""
    train = setup.sampled["train"]
    faults, numbers, shown = [], {}, []
    for which, (name, pictures) in enumerate((("backgrounds", _backgrounds), ("objects", _objects))):
        known = pictures(train.quartet)
        for part in ("val", "test"):
            held = setup.sampled[part]
            other = ~torch.isin(held.groups[which], train.groups[which])  # the rest is reported as shared already
            copies, nearest = _copies(pictures(held.quartet)[other], known, objects=which == 1)
            numbers.update({f"{part}_{name}_alike": float(copies), f"{part}_{name}_nearest": float(nearest)})
            if copies:
                finding = (
                    f"{copies} of {int(other.sum())} {part} {name} resemble one of {len(known)} in training "
                    f"(nearest: {nearest} of 64 bits differ)"
                )
                advice = "put frames of a video, and copies of a picture, into the same group (--scenes sequence)"
                faults.append(Fault("warn", finding, advice))
        shown.append(f"{name} {numbers[f'test_{name}_nearest']:.0f}")
    fine = f"no test sample resembles a training sample; bits of 64 to the nearest: {', '.join(shown)}"
    return conclude("neighbours", faults, fine, numbers)


def mask_sizes(setup: Setup) -> Finding:
    """Whether objects are large enough to be visible, and do not fill the image."""
    mask = setup.sampled["train"].quartet.mask
    if mask is None:
        return conclude("mask_sizes", [], "the data has no masks")
    doubts = setup.source.mask_warnings
    faults = [Fault("warn", str(doubt), "say what the numbers mean: --mask-values") for doubt in doubts]
    shares = (mask > 0.5).float().mean((1, 2, 3))
    shares = shares[shares > 0]
    if not len(shares):
        shown = "no mask to measure: all are empty"
        faults.append(Fault("warn", shown, "say which of their values are the object (--mask-values, --foreground)"))
        return conclude("mask_sizes", faults, shown)
    median = float(shares.median())
    shown = f"the median object covers {median:.2%} of the image, {median * setup.protocol.size**2:.0f} px"
    if median < _TINY:
        advice = "trim the cut-outs: pixels of next to no alpha around an object make it small"
        faults.append(Fault("warn", shown, advice))
    elif median > _FILLS:
        faults.append(Fault("warn", shown, "examine the masks: are they inverted?"))
    return conclude("mask_sizes", faults, shown, {"median": median, "least": float(shares.min())})


def depth_unit(setup: Setup) -> Finding:
    """Whether depth can be what its encoding says, and what reading it gave reason to doubt."""
    faults = [
        Fault("warn", str(text), "say how the files are to be read, or take them out")
        for text in getattr(setup.source, "warnings", ())
    ]
    quartet, unit = setup.sampled["train"].quartet, _unit(setup.source.encoding)
    if quartet.depth is None or unit is None:
        return conclude("depth_unit", faults, f"nothing to doubt about depth; encoding: {setup.source.encoding}")
    target = quartet.target("depth")
    assert target is not None
    numbers = torch.where(target.known > 0.5, target.value * unit.full, 0.0).numpy()
    facts = DepthFacts.of([numbers], "u2")
    low, median, high = facts.metres(unit)
    text = doubt(facts, unit, guessed=False)
    if text is not None and not faults:
        faults.append(Fault("warn", text, "say in which unit depth is stored: --depth-unit"))
    fine = f"depth from {low:.2f} to {high:.2f} m, median {median:.2f} m; known in {facts.known:.0%}"
    return conclude("depth_unit", faults, fine, {"low_m": low, "median_m": median, "high_m": high})


def _unit(encoding: str) -> DepthUnit | None:
    """The first unit whose depths are encoded so; None for relative depth and for a user's own range."""
    metric = re.fullmatch(r"metric, 1\.0 = [\d.]+ m", encoding)
    return next((unit for unit in DEPTH_UNITS.values() if metric and unit.encoding == encoding), None)


def _backgrounds(quartet: Quartet) -> Tensor:
    """(B, 3, H, W); of data without backgrounds the photographs themselves."""
    return quartet.bg_fg if quartet.bg is None else quartet.bg


def _objects(quartet: Quartet) -> Tensor:
    """Objects alone on grey, (B, 3, 32, 32); none where the data has no masks."""
    if quartet.mask is None:
        return torch.zeros(0, 3, 32, 32)
    return object_pictures(quartet.bg_fg, quartet.mask)


def _copies(held: Tensor, known: Tensor, objects: bool) -> tuple[int, int]:
    """How many pictures have a copy among the known ones, as it is or mirrored, and the least distance in bits."""
    held, known = held[torch.from_numpy(~is_flat(held))], known[torch.from_numpy(~is_flat(known))]
    if not len(held) or not len(known):
        return 0, 64
    hashes = difference_hash(known)
    bits = np.minimum(*(distances(difference_hash(turned), hashes) for turned in (held, held.flip(-1))))
    near = torch.from_numpy(bits <= NEAR)
    if objects:  # silhouettes are often alike: their colours must be so too
        near &= _gaps(held, known) < _SAME_OBJECT
    return int(near.any(1).sum()), int(bits.min())


def _gaps(held: Tensor, known: Tensor) -> Tensor:
    """Mean absolute difference of each picture to each of the known ones, the smaller of both ways round, (N, M)."""
    rows = []
    for some in torch.split(held, _AT_ONCE):
        ways = (torch.cdist(turned.flatten(1), known.flatten(1), p=1) for turned in (some, some.flip(-1)))
        rows.append(torch.minimum(*ways) / known[0].numel())
    return torch.cat(rows)
