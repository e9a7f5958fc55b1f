"""What samples of all parts show, measured on their pixels: copies between the parts, tiny objects, doubtful depth."""

from __future__ import annotations

import torch

from bench.audit.setup import Setup
from bench.core.amount import amount
from bench.core.finding import Fault, Finding, conclude
from bench.data.depth_units import DEPTH_UNITS, DepthFacts, DepthUnit, doubt, metres, scaled
from bench.data.images.copies import copies_in_training, pairs_of_files

_TINY, _FILLS = 0.005, 0.9
"""Share of the image that the median object covers: below and above are no objects that anybody would paste."""


def neighbours(setup: Setup) -> Finding:
    """Whether test samples resemble training samples of another group: the same scene or object under two names."""
    doubts = setup.source.group_warnings
    faults = [Fault("warn", str(doubt), "mend the table, or take the names out") for doubt in doubts]
    numbers, shown = {}, []
    quartets = {part: sampled.quartet for part, sampled in setup.sampled.items()}
    groups = {part: sampled.groups for part, sampled in setup.sampled.items()}
    names = {part: setup.source.file_names(part, sampled.ids) for part, sampled in setup.sampled.items()}
    for copied in copies_in_training(quartets, groups, setup.source.names_objects):
        what, part, count, bits = copied.what, copied.part, len(copied.copies), copied.bits
        numbers.update({f"{part}_{what}s_alike": float(count), f"{part}_{what}s_nearest": float(bits)})
        if count:
            finding = (
                f"{count} of {amount(copied.of, f'{part} {what}')} {'resembles' if count == 1 else 'resemble'} one of "
                f"{copied.known} in training (nearest: {bits} of 64 bits differ){pairs_of_files(copied, names)}"
            )
            advice = "put frames of a video, and copies of a picture, into the same group (--scenes sequence)"
            faults.append(Fault("warn", finding, advice))
        if part == "test":
            shown.append(f"{what}s {bits}")
    fine = f"no test sample resembles a training sample; bits of 64 to the nearest: {', '.join(shown)}"
    return conclude("neighbours", faults, fine, numbers)


def mask_sizes(setup: Setup) -> Finding:
    """Whether objects are large enough to be visible, and do not fill the image."""
    mask = setup.sampled["train"].quartet.mask
    if mask is None:
        return conclude("mask_sizes", [], "the data has no masks")
    doubts = setup.source.mask_warnings
    faults = [Fault("warn", str(doubt), "say what is the object: --mask-values, --foreground") for doubt in doubts]
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
    """The first unit whose depths are encoded so; of another range or a teacher one without doubts, of others None."""
    full = metres(encoding)
    if full is None:
        return None
    return next((unit for unit in DEPTH_UNITS.values() if unit.encoding == encoding), scaled(1 / full, 0.0, full))
