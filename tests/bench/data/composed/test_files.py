"""Files that cannot be used are named with the reason; the others are decoded by the same rules."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BadData
from tests.bench.data.composed.compose import compose

IDS = torch.arange(64)


def break_everything(pictures) -> dict[str, str]:
    """Bad file by reason."""
    good = (pictures.bg / "room0_3.png").read_bytes()
    (pictures.bg / "cut_1.png").write_bytes(good[: len(good) // 2])
    (pictures.bg / "text_1.jpg").write_text("this is no image")
    (pictures.bg / "empty_1.png").write_bytes(b"")
    (pictures.bg / "alone_1.png").write_bytes(good)
    for stem in ("byte_1", "wide_1"):
        (pictures.bg / f"{stem}.png").write_bytes(good)
    pictures.save_depth("byte_1", np.full((60, 72), 9, dtype=np.uint8))
    pictures.save_depth("wide_1", np.full((30, 72), 900, dtype=np.uint16))
    Image.new("RGB", (9, 9)).save(pictures.fg / "solid.png")
    Image.new("RGBA", (9, 9)).save(pictures.fg / "ghost.png")
    return {
        "cut_1.png": "cannot be decoded",
        "text_1.jpg": "not an image",
        "empty_1.png": "empty file",
        "alone_1.png": "missing",
        "byte_1.png": "8-bit numbers where 16-bit",
        "wide_1.png": "another aspect",
        "solid.png": "without alpha",
        "ghost.png": "transparent everywhere",
    }


def test_every_bad_file_is_named_with_its_reason(pictures) -> None:
    reasons = break_everything(pictures)
    with pytest.raises(BadData) as caught:
        compose(pictures)
    assert caught.value.exit_code == 3
    found = {Path(name).name: reason for name, reason in caught.value.problems}
    assert found.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert reason in found[name]
        assert name in str(caught.value)


def test_skipping_bad_files_counts_them(pictures) -> None:
    good = compose(pictures)
    count = len(break_everything(pictures))
    source = compose(pictures, skip_bad=True)
    assert source.describe()["skipped"] == count
    assert source.describe()["parts"] == good.describe()["parts"]
    assert torch.equal(source.render("val", IDS, 32).bg_fg, good.render("val", IDS, 32).bg_fg)


def test_nothing_left(pictures) -> None:
    for file in pictures.fg.iterdir():
        Image.new("RGBA", (9, 9)).save(file)
    with pytest.raises(BadData, match="no usable file is left"):
        compose(pictures, skip_bad=True)


def test_a_bomb_is_refused(pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60 * 72 - 1)
    with pytest.raises(BadData, match="too large") as caught:
        compose(pictures)
    assert len(caught.value.problems) == 12, "photographs and depth maps; the cut-outs are smaller"


@pytest.mark.parametrize(("make", "reason"), [(lambda p: None, "no such folder"), (Path.mkdir, "holds no image files")])
def test_missing_and_empty_folders(pictures, tmp_path: Path, make, reason: str) -> None:
    folder = tmp_path / "nothing"
    make(folder)
    for argument in ("bg", "fg", "bg_depth"):
        with pytest.raises(BadData, match=reason) as caught:
            compose(pictures, **{argument: folder})
        assert caught.value.exit_code == 3


def test_one_name_twice(pictures) -> None:
    Image.new("RGB", (72, 60)).save(pictures.bg / "room0_3.jpg")
    with pytest.raises(BadData, match="another file has this name"):
        compose(pictures)


def test_a_veil_far_from_the_object_is_trimmed(pictures) -> None:
    """A 20-pixel object in 200 pixels with alpha 1 elsewhere, as background removers leave it."""
    clean = np.zeros((200, 200, 4), dtype=np.uint8)
    clean[90:110, 90:110] = (200, 30, 40, 255)
    veiled = clean.copy()
    veiled[..., 3] = np.maximum(veiled[..., 3], 1)
    areas = []
    for pixels in (clean, veiled):
        for path in pictures.fg.iterdir():
            Image.fromarray(pixels if path.stem != "thing0" else clean).save(path)
        source = compose(pictures, camera="still", objects="file", split="shared")
        areas.append(float(source.render("train", IDS, 64).mask.mean()))
    assert areas[1] == pytest.approx(areas[0], rel=0.01)
    assert areas[1] > 0.03


def test_colour_hidden_under_full_transparency_never_shows(pictures) -> None:
    pixels = np.zeros((40, 40, 4), dtype=np.uint8)
    pixels[..., :3] = (0, 255, 0)
    pixels[10:30, 10:30] = (255, 0, 0, 255)
    for path in pictures.fg.iterdir():
        Image.fromarray(pixels).save(path)
    for path in pictures.bg.iterdir():
        if path.suffix == ".png":
            Image.new("RGB", (72, 60), (0, 0, 255)).save(path)
    shown = compose(pictures, camera="still", split="shared", scenes="file").render("train", IDS, 64).bg_fg
    assert shown[:, 1].max() < 0.02


def test_a_photograph_with_alpha_shows_white_where_it_is_transparent(pictures) -> None:
    hidden = np.zeros((60, 72, 4), dtype=np.uint8)
    hidden[..., 1] = 255
    Image.fromarray(hidden).save(pictures.bg / "room0_3.png")
    source = compose(pictures)
    assert (source._backgrounds.photographs[0] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_depth_is_turned_as_its_photograph_is(pictures, orientation: int) -> None:
    """Both files say in EXIF how they were held; they must stay together."""
    photo = Image.open(pictures.bg / "room0_3.png")
    depth = Image.open(pictures.depth / "room0_3.png")
    upright = compose(pictures)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for image, folder in ((photo, pictures.bg), (depth, pictures.depth)):
        image.save(folder / "room0_3.png", exif=exif)
    turned = compose(pictures)
    both = [s._backgrounds.photographs[0].permute(1, 2, 0).numpy() for s in (upright, turned)]
    depths = [s._backgrounds.depths[0].numpy() for s in (upright, turned)]
    steps = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud}
    steps |= {5: lambda a: np.swapaxes(a, 0, 1), 6: lambda a: np.rot90(a, -1)}
    steps |= {7: lambda a: np.swapaxes(np.rot90(a, 2), 0, 1), 8: np.rot90}
    assert np.abs(both[1].astype(int) - steps[orientation](both[0]).astype(int)).mean() < 12
    assert (np.abs(depths[1] - steps[orientation](depths[0])) < 0.02).mean() > 0.9


def test_other_suffixes_are_read_or_counted(pictures) -> None:
    photo = Image.open(pictures.bg / "room0_3.png")
    for suffix in ("webp", "tif", "bmp", "jpg", "JPEG"):
        photo.save(pictures.bg / f"other{suffix}.{suffix}")
    (pictures.bg / "raw.heic").write_bytes(b"x")
    (pictures.bg / "._room0_3.jpg").write_bytes(b"resource fork")
    source = compose(pictures, bg_depth=None)
    assert sum(part["backgrounds"] for part in source.describe()["parts"].values()) == 11
    assert any("1 .heic, 1 .txt not looked at" in note for note in source.notes)


@pytest.mark.usefixtures("no_waiting")
def test_what_is_no_regular_file_is_named(pictures) -> None:
    os.mkfifo(pictures.bg / "pipe.png")
    (pictures.bg / "loop.png").symlink_to(pictures.bg / "loop.png")
    (pictures.bg / "folder.png").mkdir()
    with pytest.raises(BadData) as caught:
        compose(pictures, bg_depth=None)
    found = {Path(name).name: reason for name, reason in caught.value.problems}
    assert found == {
        "pipe.png": "not a regular file",
        "loop.png": "a link that leads nowhere",
        "folder.png": "not a regular file",
    }


def test_names_that_are_no_utf_8(pictures) -> None:
    name = os.fsdecode(b"b\xe9ton_1.png")
    shutil.copy(pictures.bg / "room0_3.png", pictures.bg / name)
    source = compose(pictures, bg_depth=None)
    json.dumps(source.describe()).encode()
    (pictures.bg / name).write_bytes(b"")
    with pytest.raises(BadData, match="empty file") as caught:
        compose(pictures, bg_depth=None)
    str(caught.value).encode()  # can be printed


def test_street_depth_read_as_millimetres_is_doubted(pictures) -> None:
    """Depth of a car's laser scanner, metres x 256, known at a few places."""
    draw = np.random.default_rng(0)
    for i in range(6):
        metres = np.geomspace(7.5, 1.33, 60)[:, None] * np.ones((1, 72))
        depth = np.where(draw.random((60, 72)) < 0.2, metres * 256, 0).astype(np.uint16)
        pictures.save_depth(f"room{i}_3", depth)
    (warning,) = compose(pictures).warnings
    assert "kitti is likely" in warning
    assert not compose(pictures, depth_unit="kitti").warnings
    assert compose(pictures, depth_unit="kitti").encoding == "metric, 1.0 = 80 m"
