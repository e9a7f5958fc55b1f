"""Whether the parts of the data are disjoint, and augmentation keeps images and targets together."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bench.audit.setup import Setup
from bench.core.finding import Fault, Finding, conclude
from bench.data.augment.pipeline import augment, geometric
from bench.data.inspection.part_sizes import few_quartets
from bench.data.split import HALF_SHARED, Part
from registry.contract import Quartet

_SAMPLES = 2048
"""Samples of each part whose groups are compared."""
_AUGMENTED, _SIDE = 8, 32
_TOGETHER, _SAME, _STRAY = 0.97, 2e-3, 0.02
_KNOWN = 0.5
"""Depth is marked as known above this, so that the depth map shows where `valid` should be."""


def split(setup: Setup) -> Finding:
    """Whether test samples share a background or an object with training samples; by a rule's own choice, a warning.

    Parts with next to no quartets are a warning, too.
    """
    protocol, faults, numbers, shown = setup.protocol, few_quartets(setup.source), {}, []
    counts: dict[Part, int] = {
        "train": protocol.train_samples,
        "val": protocol.val_samples,
        "test": protocol.test_samples,
    }
    groups = {part: setup.source.groups(part, torch.arange(min(count, _SAMPLES))) for part, count in counts.items()}
    for at, name in enumerate(("backgrounds", "objects")):
        shares = {
            part: float(torch.isin(groups[part][at], groups["train"][at]).float().mean()) for part in ("val", "test")
        }
        numbers.update({f"{part}_{name}": share for part, share in shares.items()})
        shown.append(f"{len(set(groups['train'][at].tolist()))} {name}")
        if max(shares.values()) > 0:
            finding = (
                f"{shares['test']:.0%} of test and {shares['val']:.0%} of validation samples have {name} of training"
            )
            rule = str(setup.source.describe().get("split"))
            if HALF_SHARED.get(rule) == name:
                finding += f", as --split {rule} has it"
                faults.append(Fault("warn", finding, f"say so beside the scores: they hold for known {name} only"))
            else:
                advice = "split by group: --split unseen-both, with more of them if they are few"
                faults.append(Fault("broken", finding, advice))
    return conclude("split", faults, f"no test or validation sample shares any of {' and '.join(shown)}", numbers)


def augmentation(setup: Setup) -> Finding:
    """Whether what is encoded in the images still lies where the targets have it, once all were augmented."""
    faults, numbers = [], {}
    level, blobs = setup.protocol.augmentation, _blobs()
    ids = torch.arange(len(blobs))
    pictures = blobs.expand(-1, 3, -1, -1)
    marked = Quartet(pictures.clone(), pictures.clone(), blobs.clone(), blobs.clone(), (blobs > _KNOWN).float())
    moved = setup.augmentation(marked, 0, 1, ids, level)
    # Noise, blur and holes part a photograph from its targets without moving anything.
    placed = geometric(marked, 0, 1, ids, level) if setup.augmentation is augment else moved
    for name in ("bg", "bg_fg"):
        for target in ("mask", "depth"):
            agree = _agreement(getattr(placed, name), getattr(placed, target))
            numbers[f"{name}_{target}"] = agree
            if agree < _TOGETHER:
                finding = f"{target} does not follow {name} (they agree to {agree:.2f})"
                faults.append(Fault("broken", finding, "draw the geometric augmentation once for all four images"))
    if moved.valid is not None and moved.depth is not None:
        strays = float((moved.valid - (moved.depth > _KNOWN).float()).abs().mean())
        if strays > _STRAY:
            finding = f"valid and depth disagree on {strays:.0%} of the pixels"
            faults.append(Fault("broken", finding, "move valid as depth is moved"))
    bg, bg_fg = moved.inputs
    apart = float((bg - bg_fg).abs().max())
    if apart > _SAME:
        finding = f"equal photographs differ by {apart:.2f} afterwards"
        faults.append(Fault("broken", finding, "draw the photometric augmentation once for bg and bg_fg"))
    grey = torch.full_like(blobs, 0.4)
    flat = setup.augmentation(Quartet(pictures, pictures, grey, grey, torch.ones_like(grey)), 0, 1, ids, level)
    changed = max(float((target - 0.4).abs().max()) for target in (flat.mask, flat.depth) if target is not None)
    if changed > _SAME:
        finding = f"a constant target changes by {changed:.2f}"
        faults.append(Fault("broken", finding, "leave brightness and colour of targets as they are"))
    return conclude("augmentation", faults, f"{level}: images and targets move together", numbers)


def _blobs() -> Tensor:
    """Smooth pictures without any symmetry, (B, 1, H, W), in the middle of [0, 1]: no exposure clips them."""
    draw = torch.Generator().manual_seed(0)
    coarse = torch.rand(_AUGMENTED, 1, 5, 5, generator=draw)
    return 0.35 + 0.3 * functional.interpolate(coarse, size=(_SIDE, _SIDE), mode="bilinear", align_corners=True)


def _agreement(image: Tensor, target: Tensor) -> float:
    """The lowest correlation of any image's channel with its target; exposure does not change it."""
    pictures, wanted = image.flatten(2), target.flatten(2)
    pictures, wanted = pictures - pictures.mean(2, keepdim=True), wanted - wanted.mean(2, keepdim=True)
    return float(functional.cosine_similarity(pictures, wanted.expand_as(pictures), dim=2).min())
