"""What can be wrong with quartets as pictures: measured, not believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.amount import amount
from bench.core.finding import Fault, Finding, Grade, conclude
from bench.data.images.copies import Copied, pairs_of_files
from bench.data.split import Part
from registry.contract import Quartet

_SEEN = 0.5
_GROWN = 5
"""Side of the square, pixels, by which masks grow before what lies outside is compared: rims are soft."""
_APART, _MISALIGNED = 0.04, 0.6
"""Of handheld photographs 19 of 20 wrong pairs differ by more, and one right pair of a hundred."""
_TINY, _FEW = 0.002, 0.05
_FLAT_DEPTH = 0.95
_PRINTS = 0.02
_LEVEL = 1 / 255
"""Two pictures that differ by less are the same."""
_MOST, _ENOUGH = 0.5, 8
_CLEAR = 1.5
"""How much clearer than the texture of its picture an outline is."""
_EXPOSURE = 1.5
"""How much brighter one of two photographs of a scene may be."""


def outside_difference(quartet: Quartet) -> Tensor | None:
    """Mean difference of bg and bg_fg outside the mask, (B,); None without a background or a mask.

    Outside is nowhere near the object; where that is nowhere at all it is 0.
    """
    if quartet.bg is None or quartet.mask is None:
        return None
    outside = _outside(quartet.mask)
    apart = (quartet.bg - quartet.bg_fg).abs().mean(1, keepdim=True)
    return (apart * outside).sum((1, 2, 3)) / outside.sum((1, 2, 3)).clamp(min=1)


def levelled(quartet: Quartet) -> Quartet:
    """The same with bg as bright as bg_fg outside the mask: another exposure is no other scene."""
    assert quartet.bg is not None and quartet.mask is not None
    outside = _outside(quartet.mask)
    light = [(images * outside).sum((1, 2, 3), keepdim=True) for images in (quartet.bg, quartet.bg_fg)]
    gain = (light[1] / light[0].clamp(min=1e-6)).clamp(1 / _EXPOSURE, _EXPOSURE)
    return replace(quartet, bg=torch.where(outside.sum((1, 2, 3), keepdim=True) > 0, quartet.bg * gain, quartet.bg))


def _outside(mask: Tensor) -> Tensor:
    """1 nowhere near the object, (B, 1, H, W)."""
    return 1 - functional.max_pool2d((mask > 0.02).float(), _GROWN, stride=1, padding=_GROWN // 2)


def misaligned(quartet: Quartet, backgrounds: Tensor | None = None) -> tuple[Tensor, float] | None:
    """Which quartets (B,) have another background than their picture's, and how far apart wrong pairs are.

    A pair is wrong where it differs outside the mask .6 times as much as pictures with each other's backgrounds do.

    Args:
        quartet: of any parts.
        backgrounds: numbers of their groups, (B,); each picture is held against the next one of another group.
    """
    if quartet.bg is None or quartet.mask is None or len(quartet.bg) < 2:
        return None
    apart = outside_difference(levelled(quartet))
    other = quartet.bg[_of_other_groups(backgrounds, len(quartet.bg))]
    wrong = outside_difference(levelled(Quartet(other, quartet.bg_fg, quartet.mask)))
    assert apart is not None and wrong is not None
    different = (quartet.bg - other).abs().mean((1, 2, 3)) > _APART
    typical = float(wrong[different].median()) if different.any() else 2 * _APART
    return apart > max(_APART, _MISALIGNED * typical), typical


def _of_other_groups(groups: Tensor | None, count: int) -> Tensor:
    """For each picture another one, (B,): the next of another group, or the next where all are of one."""
    following = (torch.arange(count) - 1) % count
    if groups is None:
        return following
    for _ in range(count - 2):
        same = groups[following] == groups
        if not same.any():
            break
        following = torch.where(same, (following - 1) % count, following)
    return following


def alignment(quartet: Quartet, backgrounds: Tensor | None = None) -> Finding:
    """Whether bg and bg_fg show the same scene outside the mask; see `misaligned`."""
    found = misaligned(quartet, backgrounds)
    if found is None:
        return conclude("alignment", [], "no background or no mask to compare with")
    which, typical = found
    apart = outside_difference(quartet)
    assert apart is not None
    count, numbers = int(which.sum()), {"outside": float(apart.median()), "wrong_pairs": typical}
    faults = []
    if count:
        grade: Grade = "broken" if count > _FEW * len(which) else "warn"
        finding = f"bg and bg_fg differ outside the mask in {count} of {len(which)} quartets"
        faults.append(Fault(grade, finding, "see that each picture has its own background, unmoved"))
    return conclude("alignment", faults, f"bg and bg_fg differ by {numbers['outside']:.3f} outside the mask", numbers)


def fields(quartet: Quartet, backgrounds: Tensor) -> Finding:
    """Whether each field is what its name says: mask where the pictures differ, depth no mask, bg the empty scene."""
    faults: list[Fault] = []
    numbers: dict[str, float] = {}
    if quartet.bg is not None and quartet.mask is not None:
        level = levelled(quartet)
        assert level.bg is not None
        apart = (level.bg - level.bg_fg).abs().mean(1, keepdim=True)
        mask = (quartet.mask > _SEEN).float()
        inside = float((apart * mask).sum() / mask.sum().clamp(min=1))
        outside = float((apart * (1 - mask)).sum() / (1 - mask).sum().clamp(min=1))
        numbers.update(inside=inside, outside=outside)
        if inside < outside:
            finding = f"bg and bg_fg differ by {inside:.3f} inside the mask and by {outside:.3f} outside"
            faults.append(Fault("broken", finding, "masks are of other pictures, or inverted: --foreground black"))
        else:
            faults += _objects_in_backgrounds(level, numbers)
    if quartet.depth is not None and quartet.valid is not None:
        known = quartet.valid > _SEEN
        ends = ((quartet.depth < 0.02) | (quartet.depth > 0.98)) & known
        share = float(ends.sum() / known.sum().clamp(min=1))
        numbers["depth_at_its_ends"] = share
        if share > _FLAT_DEPTH and known.any():
            finding = f"{share:.0%} of the depth is 0 or 1"
            faults.append(Fault("broken", finding, "depth files hold masks, or are of another unit"))
    if quartet.bg is not None:
        spread = [_spread(images, backgrounds) for images in (quartet.bg, quartet.bg_fg)]
        if spread[0] is not None and spread[1] is not None:
            numbers.update(bg_within_group=spread[0], bg_fg_within_group=spread[1])
            if spread[0] > 2 * spread[1] and spread[0] > 0.005 and numbers.get("outlines_in_bg", 1.0) > _MOST:
                finding = f"bg varies within a background ({spread[0]:.3f}) and bg_fg does not ({spread[1]:.3f})"
                faults.append(Fault("broken", finding, "bg and bg_fg are exchanged"))
    return conclude("fields", faults, "every field is what its name says", numbers)


def _objects_in_backgrounds(quartet: Quartet, numbers: dict[str, float]) -> list[Fault]:
    """Whether bg shows the object: it is no other picture than bg_fg there, or has the object's outline alone."""
    assert quartet.bg is not None and quartet.mask is not None
    mask = (quartet.mask > _SEEN).float()
    having = mask.sum((1, 2, 3)) > 0
    apart = (quartet.bg - quartet.bg_fg).abs().mean(1, keepdim=True)
    inside = (apart * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)
    outside = (apart * (1 - mask)).sum((1, 2, 3)) / (1 - mask).sum((1, 2, 3)).clamp(min=1)
    same = ((inside < _LEVEL) | (inside < outside)) & having
    rims, textures = (
        [_contrast(images, where)[having] for images in (quartet.bg, quartet.bg_fg)] for where in (mask, None)
    )
    clear = (rims[0] > rims[1]) & (rims[0] > _CLEAR * textures[0])
    exchanged = float(clear.float().mean()) if having.any() else 0.0
    numbers.update(bg_like_bg_fg=float(same.sum() / having.sum().clamp(min=1)), outlines_in_bg=exchanged)
    faults = []
    if numbers["bg_like_bg_fg"] > _FEW:
        grade: Grade = "broken" if numbers["bg_like_bg_fg"] > _MOST else "warn"
        finding = f"in {int(same.sum())} of {int(having.sum())} quartets bg is no other than bg_fg where the object is"
        faults.append(Fault(grade, finding, "give the scene without the object as bg, or leave it out: --inputs image"))
    elif exchanged > _MOST and int(having.sum()) >= _ENOUGH:
        finding = f"the object's outline is clearer in bg than in bg_fg in {exchanged:.0%} of the quartets"
        faults.append(Fault("broken", finding, "bg and bg_fg are exchanged"))
    return faults


def _contrast(images: Tensor, mask: Tensor | None) -> Tensor:
    """Mean difference of pixels two apart, (B,): of all, or of those between which a mask begins or ends."""
    found, count = torch.zeros(len(images)), torch.zeros(len(images))
    for dim in (2, 3):
        length = images.shape[dim] - 2
        step = _step(images, dim, length).mean(1, keepdim=True)
        counted = torch.ones_like(step) if mask is None else _step(mask, dim, length)
        found += (step * counted).sum((1, 2, 3))
        count += counted.sum((1, 2, 3))
    return found / count.clamp(min=1)


def _step(field: Tensor, dim: int, length: int) -> Tensor:
    return (field.narrow(dim, 2, length) - field.narrow(dim, 0, length)).abs()


def _spread(images: Tensor, groups: Tensor) -> float | None:
    """Mean difference of consecutive pictures of the same group, equally bright; None if no group has two."""
    found = []
    images = images * (images.mean() / images.mean((1, 2, 3), keepdim=True).clamp(min=1e-6))
    for group in sorted(set(groups.tolist())):
        some = images[groups == group]
        if len(some) > 1:
            found.append(float((some[1:] - some[:-1]).abs().mean()))
    return sum(found) / len(found) if found else None


def masks(quartet: Quartet, empty_share: float = 0.0) -> Finding:
    """Whether masks hold something that a network can learn to see.

    Args:
        quartet: of any parts.
        empty_share: of the samples, in which there is no object on purpose.
    """
    if quartet.mask is None:
        return conclude("masks", [], "no masks")
    area = (quartet.mask > _SEEN).float().mean((1, 2, 3))
    unknown = 0.0
    if quartet.mask_valid is not None:
        is_known = (quartet.mask_valid > _SEEN).flatten(1).any(1)
        if not is_known.any():
            return conclude("masks", [Fault("broken", "of no mask anything is known", "see --mask-values")], "")
        area, unknown = area[is_known], float((~is_known).float().mean())
    median = float(torch.quantile(area, 0.5))
    empty, full = float((area == 0).float().mean()), float((area > 0.98).float().mean())
    numbers = {"median": median, "empty": empty, "full": full}
    faults = []
    if not (area > 0).any():
        advice = "see which value is the object (--mask-values, --foreground), and that masks are scaled 0 to 255"
        faults.append(Fault("warn", "all masks are empty", advice))
    elif float(area[area > 0].median()) < _TINY:
        finding = f"the median mask covers {numbers['median']:.2%} of its picture"
        faults.append(Fault("warn", finding, "see that masks are scaled 0 to 255, or crop closer"))
    elif empty > _FEW + 2 * empty_share:
        advice = "see that their values are declared, and whether small objects are lost at this --size"
        faults.append(Fault("warn", f"{empty:.0%} of the masks are empty", advice))
    if full > _FEW:
        finding = f"{full:.0%} of the masks cover all of the picture"
        faults.append(Fault("broken", finding, "see which value is the object: --foreground, --mask-values"))
    fine = f"the median mask covers {numbers['median']:.1%} of its picture"
    if unknown:
        numbers["unknown"] = unknown
        fine += f"; of {unknown:.0%} of the masks nothing is known"
    return conclude("masks", faults, fine, numbers)


def duplicates_between_parts(copied: Iterable[Copied], names: Mapping[Part, Mapping[str, Sequence[str]]]) -> Finding:
    """Whether validation or test show a background, or an object, that training shows, by the pictures alone.

    Args:
        copied: what `copies_in_training` found; what the split shares between parts on purpose is no fault.
        names: of every part, the files of the quartets looked at, as `Source.file_names` gives them.
    """
    faults: list[Fault] = []
    numbers: dict[str, float] = {}
    known = list[str]()
    shown = dict.fromkeys(("backgrounds", "objects"), False)
    for found in copied:
        what, part, count, of = found.what, found.part, len(found.copies), found.of
        shown[f"{what}s"] = True
        numbers[f"{part}_{what}s_shared"] = found.shared
        known += [f"{found.shared:.0%} of the {what}s of {part}"] * (found.shared > 0)
        if not of:
            continue
        numbers[f"{part}_{what}s"] = count / of
        if count:
            have = "has" if count == 1 else "have"
            files = pairs_of_files(found, names)
            finding = f"{count} of {amount(of, what)} of {part} {have} a near duplicate in train{files}"
            grade: Grade = "broken" if count > _PRINTS * of and what == "background" else "warn"
            faults.append(Fault(grade, finding, "let them share a group: see --scenes, --flips, groups.txt"))
    by_design = f"; train has, as the split says, {', '.join(known)}" if known else ""
    compared = " and ".join(what for what, compared in shown.items() if compared)
    fine = f"no near duplicates of {compared} between parts{by_design}"
    return conclude("near prints", faults, fine, numbers)
