"""Which files are of the same scene or object, under any name."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BadData
from bench.data.images.file_names import scene_of
from tests.bench.data.composed.compose import compose


def test_scenes(pictures) -> None:
    assert [scene_of(stem) for stem in ("kitchen_012", "a-7", "b3", "plain", "007")] == [
        "kitchen",
        "a",
        "b",
        "plain",
        "",
    ]
    for stem in ("office_1", "office_2", "hall_1"):
        photo = Image.open(pictures.bg / "room0_3.png")
        photo.putpixel((0, 0), (len(stem), ord(stem[-1]), 9))  # files of the same content are the same scene
        photo.save(pictures.bg / f"{stem}.png")
        shutil.copy(pictures.depth / "room0_3.png", pictures.depth / f"{stem}.png")

    def counts(rule: str) -> tuple[str, int, int]:
        described = compose(pictures, scenes=rule).describe()
        parts = described["parts"].values()
        return described["scenes"], sum(p["scenes"] for p in parts), sum(p["backgrounds"] for p in parts)

    # room0_3 ... room5_3 are scenes "room0" ... "room5".
    assert counts("auto") == ("sequence", 8, 9)
    assert counts("file") == ("file", 9, 9)
    for i in range(1, 6):
        (pictures.bg / f"room{i}_3.png").rename(pictures.bg / f"room0_{i + 7}.png")
        (pictures.depth / f"room{i}_3.png").rename(pictures.depth / f"room0_{i + 7}.png")
    assert counts("auto") == ("sequence", 3, 9)
    for stem in ("office_1", "office_2"):
        (pictures.bg / f"{stem}.png").unlink()
        (pictures.depth / f"{stem}.png").unlink()
    assert counts("auto") == ("file", 7, 7)  # two scenes cannot be shared out over three parts


def test_the_digest_is_of_contents_not_of_places(pictures, tmp_path: Path) -> None:
    before = compose(pictures).describe()["content"]
    moved = tmp_path / "elsewhere"
    shutil.copytree(pictures.bg, moved)
    assert compose(pictures, bg=moved).describe()["content"] == before
    pixels = np.asarray(Image.open(moved / "room1_3.png")).copy()
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(moved / "room1_3.png")
    assert compose(pictures, bg=moved).describe()["content"] != before


def test_too_few_scenes(pictures) -> None:
    for i in range(2, 6):
        (pictures.fg / f"thing{i}.png").unlink()
    with pytest.raises(BadData, match=r"cut-outs: only 2"):
        compose(pictures)


def test_too_few_sequences_name_the_other_rule(pictures) -> None:
    with pytest.raises(BadData, match=r"cut-outs: only 1(?s:.)*--objects file"):
        compose(pictures, objects="sequence")


def test_one_photograph_under_two_names_is_one_scene(pictures) -> None:
    for path in list(pictures.bg.glob("*.png")):
        shutil.copy(path, pictures.bg / f"copy of {path.stem[:5]}.png")
    source = compose(pictures, bg_depth=None)
    assert sum(part["scenes"] for part in source.describe()["parts"].values()) == 6
    assert any("and are merged" in note for note in source.notes)
    shown = {part: source.scenes(part, torch.arange(200), 16).bg.flatten(1) for part in ("train", "val", "test")}
    for part, other in (("train", "test"), ("train", "val"), ("val", "test")):
        assert not {tuple(row) for row in shown[part].tolist()} & {tuple(row) for row in shown[other].tolist()}


def test_numbered_cut_outs_are_one_object(pictures) -> None:
    originals = sorted(pictures.fg.iterdir())
    for name, original in zip(("cata", "catb", "catc", "catd"), originals, strict=False):
        for number in range(6):
            image = Image.open(original)
            image.rotate(5 * number).save(pictures.fg / f"{name}_{number:03d}.png")
    for original in originals:
        original.unlink()
    source = compose(pictures)
    objects = source.split.pools["object"].groups
    assert sorted(name for names in objects.values() for name in names) == ["cata", "catb", "catc", "catd"]
    assert source.describe()["objects"] == "sequence"
    assert any("4 groups of 24 cut-outs" in note for note in source.notes)
    assert compose(pictures, objects="file").describe()["objects"] == "file"


def test_two_videos_are_refused(pictures, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    draw = np.random.default_rng(1)
    for video in ("a", "b"):
        scene = draw.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(12, 0).repeat(12, 1)
        for number in range(10):
            Image.fromarray(np.roll(scene, number, axis=1)).save(frames / f"{video}_{number:04d}_rgb.png")
    with pytest.raises(BadData, match=r"(?s)20 frames of 2 videos.*--scenes file"):
        compose(pictures, bg=frames, bg_depth=None)
    assert compose(pictures, bg=frames, bg_depth=None, scenes="file").describe()["scenes"] == "file"
    assert compose(pictures, bg=frames, bg_depth=None, split="shared").describe()["leaks"]


def test_names_composed_and_decomposed_are_one(pictures) -> None:
    """macOS decomposes accents."""
    for folder, form in ((pictures.bg, "NFC"), (pictures.depth, "NFD")):
        (folder / "room0_3.png").rename(folder / f"{unicodedata.normalize(form, 'café_1')}.png")
    assert compose(pictures).describe()["skipped"] == 0
