"""What the audit measures on samples: copies between the parts, tiny objects, units of depth, few known pixels."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from bench.audit.audit import audit
from bench.core.finding import Finding
from bench.core.protocol import find_protocol
from bench.data.composed.source import Composed
from bench.data.source import Source
from bench.data.split import Part
from bench.data.synthetic.source import Synthetic
from registry.contract import Quartet

QUICK = find_protocol("quick")


def found(source: Source, recipe: str = "mask: bce", **changes) -> dict[str, Finding]:
    return {finding.check: finding for finding in audit(recipe, source, QUICK.override(**changes))}


def photograph(number: int, shift: int = 0) -> Image.Image:
    """A picture of its own for each number: coloured boxes on a plain ground; ``shift`` moves the camera."""
    random = np.random.default_rng(number)
    image = Image.new("RGB", (96, 96), tuple(random.integers(60, 200, 3).tolist()))
    pen = ImageDraw.Draw(image)
    for _ in range(14):
        left, top = (random.integers(-20, 90, 2) + shift).tolist()
        width, height = random.integers(15, 60, 2).tolist()
        pen.rectangle((left, top, left + width, top + height), fill=tuple(random.integers(0, 255, 3).tolist()))
    return image


def cutout(number: int) -> Image.Image:
    """An ellipse with patches, in a transparent margin."""
    random = np.random.default_rng(1000 + number)
    image = Image.new("RGBA", (40, 40))
    pen = ImageDraw.Draw(image)
    pen.ellipse((2, 2, 38, 38), fill=(*random.integers(0, 255, 3).tolist(), 255))
    for _ in range(6):
        left, top = random.integers(8, 24, 2).tolist()
        pen.rectangle((left, top, left + 8, top + 8), fill=(*random.integers(0, 255, 3).tolist(), 255))
    return image


def folders(root: Path, photographs: dict[str, Image.Image], cutouts: dict[str, Image.Image]) -> tuple[Path, Path]:
    for name, images in (("bg", photographs), ("fg", cutouts)):
        (root / name).mkdir()
        for stem, image in images.items():
            image.save(root / name / f"{stem}.png")
    return root / "bg", root / "fg"


def brightened(image: Image.Image, by: int = 3) -> Image.Image:
    """The same picture out of another program: not one byte the same."""
    pixels = np.asarray(image).copy()
    pixels[..., :3] = np.minimum(255, pixels[..., :3].astype(int) + by)
    return Image.fromarray(pixels)


NAMES = ["anvil", "birch", "cello", "delta", "ember", "flint", "grove", "hazel", "igloo", "jetty", "knoll", "larch"]
ROOMS = {name: photograph(i) for i, name in enumerate(NAMES)}
THINGS = {f"thing {name}": cutout(i) for i, name in enumerate(NAMES)}


def test_different_photographs_and_objects_have_no_copies(tmp_path: Path) -> None:
    findings = found(Composed(*folders(tmp_path, ROOMS, THINGS)))
    for name in ("neighbours", "mask_sizes", "depth_unit"):
        assert findings[name].grade == "ok", findings[name]


@pytest.mark.parametrize("seed", range(3))
def test_rendered_rooms_have_no_copies(seed: int) -> None:
    findings = found(Synthetic(seed=seed), "bce")
    for name in ("neighbours", "mask_sizes", "depth_unit"):
        assert findings[name].grade == "ok", findings[name]


def test_photographs_under_two_names_are_found(tmp_path: Path) -> None:
    twice = {**ROOMS, **{f"{name[::-1]} edited": brightened(image) for name, image in ROOMS.items()}}
    finding = found(Composed(*folders(tmp_path, twice, THINGS), scenes="file"))["neighbours"]
    assert finding.grade == "warn"
    assert "backgrounds resemble one of" in finding.finding
    name, like = re.findall(r"differ\): ([a-z ]+)\.png like ([a-z ]+)\.png", finding.finding)[0]
    assert name.removesuffix(" edited")[::-1] == like or like.removesuffix(" edited")[::-1] == name
    assert (finding.numbers["val_backgrounds_alike"], finding.numbers["test_backgrounds_alike"]) == (3, 2)


def test_frames_of_two_videos_are_found(tmp_path: Path) -> None:
    frames = {f"video{v}_{i:03}": photograph(v, shift=i // 4) for v in range(2) for i in range(10)}
    finding = found(Composed(*folders(tmp_path, frames, THINGS), scenes="file"))["neighbours"]
    assert finding.grade == "warn"
    assert "of 64 bits differ" in finding.finding


def test_cutouts_under_two_names_are_found(tmp_path: Path) -> None:
    twice = {**THINGS, **{f"{name[::-1]} again": brightened(image) for name, image in THINGS.items()}}
    finding = found(Composed(*folders(tmp_path, ROOMS, twice), seed=1))["neighbours"]
    assert finding.grade == "warn"
    assert "objects resemble one of" in finding.finding


class Tiny(Synthetic):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        dot = torch.zeros_like(quartet.mask)
        dot[..., 20:22, 20:22] = 1
        return dataclasses.replace(quartet, mask=dot)


class Inverted(Synthetic):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        return dataclasses.replace(quartet, mask=1 - quartet.mask)


@pytest.mark.parametrize(
    ("kind", "finding", "advice"),
    [(Tiny, "0.17% of the image, 7 px", "alpha"), (Inverted, "covers 9", "inverted")],
)
def test_masks_of_a_doubtful_size_are_found(kind: type[Synthetic], finding: str, advice: str) -> None:
    measured = found(kind())["mask_sizes"]
    assert measured.grade == "warn"
    assert finding in measured.finding
    assert advice in measured.advice


class Empty(Synthetic):
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        return dataclasses.replace(quartet, mask=torch.zeros_like(quartet.mask))


def test_masks_without_any_object_are_found_and_doubts_about_masks_shown() -> None:
    source = Empty()
    source.mask_warnings = ("masks hold the numbers 0, 1, 2",)
    measured = found(source)["mask_sizes"]
    assert measured.grade == "warn"
    assert "all are empty" in measured.finding
    assert "numbers 0, 1, 2" in measured.finding
    assert "--mask-values" in measured.advice
    assert source.facts()["warnings"] == list(source.mask_warnings), "kept in records too"


def test_doubts_about_groups_are_shown() -> None:
    source = Synthetic()
    source.group_warnings = ("1 of 3 names of groups.txt change nothing",)
    measured = found(source)["neighbours"]
    assert measured.grade == "warn"
    assert "1 of 3 names" in measured.finding


def test_streets_read_as_millimetres_are_found(tmp_path: Path) -> None:
    bg, fg = folders(tmp_path, ROOMS, THINGS)
    (tmp_path / "depth").mkdir()
    for name in ROOMS:
        rows = np.linspace(1.33, 7.5, 96)[::-1] * 256  # metres times 256: read as mm, 0.34 to 1.92 m
        depth = np.broadcast_to(rows[:, None], (96, 96)).astype(np.uint16)
        Image.fromarray(depth).save(tmp_path / "depth" / f"{name}.png")
    source = Composed(bg, fg, tmp_path / "depth", depth_unit="mm")
    finding = found(source, "bce")["depth_unit"]
    assert finding.grade == "warn"
    assert "kitti is likely" in finding.finding
    assert finding.numbers["high_m"] < 2


def test_what_a_source_doubts_is_shown() -> None:
    source = Synthetic()
    source.warnings = ("as mm depths would lie between 0.3 and 1.9 m",)
    finding = found(source, "bce")["depth_unit"]
    assert finding.grade == "warn" and "0.3 and 1.9 m" in finding.finding


class Sparse(Synthetic):
    """Depth known in some pixels, chosen at random, as a laser scanner leaves it."""

    share = 1.0

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        quartet = super().scenes(part, ids, size)
        known = [torch.rand(1, size, size, generator=torch.Generator().manual_seed(int(i))) for i in ids]
        valid = (torch.stack(known) < self.share).float()
        return dataclasses.replace(quartet, valid=valid, depth=quartet.depth * valid)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("seed", [0, 1])
def test_sparse_depth_with_a_sound_recipe_is_not_broken(share: float, seed: int) -> None:
    source = Sparse(seed=seed)
    source.share = share
    assert [finding for finding in found(source, "bce_rmse").values() if finding.grade != "ok"] == []


def test_a_recipe_that_sees_no_sparse_depth_is() -> None:
    source = Sparse()
    source.share = 0.1
    findings = found(source, "bce_ssim")
    assert findings["floor"].grade == "broken" and findings["coverage"].grade == "warn"


@pytest.mark.parametrize(("epochs", "grade"), [(2, "warn"), (3, "ok")])
def test_a_weighting_that_cannot_act(epochs: int, grade: str) -> None:
    finding = found(Synthetic(), "bce_l1_dwa", epochs=epochs)["weighting"]
    assert finding.grade == grade
    assert "from epoch 3" in finding.finding


def test_other_weightings_act_at_once() -> None:
    assert found(Synthetic(), "bce_rmse")["weighting"].grade == "ok"
    assert "uncertainty" in found(Synthetic(), "mask: bce, depth: l1, weighting: uncertainty")["weighting"].finding


def test_far_logits_without_a_finite_gradient() -> None:
    finding = found(Synthetic(), "mask: bce, depth: tests.bench.audit.conformance.broken.terms:entropy")["far_logits"]
    assert finding.grade == "broken"
    assert "at logits of" in finding.finding and "entropy" in finding.finding


@pytest.mark.parametrize(
    ("rule", "grade", "shares"),
    [
        ("unseen-both", "ok", None),
        ("unseen-bg", "warn", "samples have objects of training, as --split unseen-bg has it"),
        ("unseen-fg", "warn", "samples have backgrounds of training, as --split unseen-fg has it"),
        ("shared", "broken", "samples have backgrounds of training"),
    ],
)
def test_what_a_rule_shares_by_choice_is_no_fault_of_the_data(rule: str, grade: str, shares: str | None) -> None:
    finding = found(Synthetic(split=rule))["split"]
    assert finding.grade == grade
    assert shares is None or shares in finding.finding
