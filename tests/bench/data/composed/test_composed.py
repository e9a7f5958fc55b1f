from __future__ import annotations

import json
import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BadData, BenchError
from bench.data.composed.source import Composed
from bench.data.images.file_names import scene_of
from registry.errors import UnknownName

IDS = torch.arange(64)
SHADES = torch.tensor(
    [(200, 30, 40), (20, 180, 60), (250, 250, 10), (10, 20, 240), (128, 0, 128), (250, 128, 0)]
)  # as in conftest


def compose(pictures, **parameters) -> Composed:
    given = {"bg": pictures.bg, "fg": pictures.fg, "bg_depth": pictures.depth, "camera": "still", "resolution": 60}
    return Composed(**{**given, **parameters})


@pytest.fixture(scope="module")
def source(shared_pictures) -> Composed:
    return compose(shared_pictures, resolution=64)


def test_outside_the_mask_nothing_changes_and_inside_alpha_blends(source: Composed) -> None:
    quartet = source.render("train", IDS, 64)
    outside = (quartet.mask == 0).expand_as(quartet.bg)
    assert torch.equal(quartet.bg[outside], quartet.bg_fg[outside])
    colour = SHADES[source.groups("train", IDS)[1]][:, :, None, None] / 255
    expected = quartet.bg * (1 - quartet.mask) + colour * quartet.mask
    torch.testing.assert_close(quartet.bg_fg, expected, atol=2e-3, rtol=0)


def test_alpha_stays_soft(source: Composed) -> None:
    mask = source.render("train", IDS, 64).mask
    assert ((mask > 0.02) & (mask < 0.98)).float().mean() > 0.005
    assert (mask.amax((1, 2, 3)) > 0.95).all()


def test_boxes(source: Composed) -> None:
    mask = source.render("train", torch.arange(400), 64).mask[:, 0] > 0.05
    rows, columns = mask.any(2), mask.any(1)
    lowest = torch.stack([row.nonzero().max() for row in rows])
    longer = torch.maximum(rows.sum(1), columns.sum(1))
    assert lowest.min() >= 31
    assert lowest.min() < 38
    assert lowest.max() >= 62
    assert 0.2 * 64 < longer.min() < 0.32 * 64
    assert 0.6 * 64 < longer.max() <= 0.72 * 64
    assert columns[:, :4].any(1).float().mean() > 0.02, "objects come near both sides"
    assert columns[:, -4:].any(1).float().mean() > 0.02


def test_backgrounds_are_the_middle_squares(pictures) -> None:
    # At the resolution of the photographs nothing is resampled.
    source = compose(pictures)
    background = source.groups("train", IDS)[0]
    shown = source.scenes("train", IDS, 64)  # enlarged: compare means instead of pixels
    for i in range(8):
        pixels = np.asarray(Image.open(pictures.bg / f"room{int(background[i])}_3.png"))[:, 6:66] / 255
        np.testing.assert_allclose(shown.bg[i].mean((1, 2)).numpy(), pixels.mean((0, 1)), atol=5e-3)


def test_depth_at_the_foot(source: Composed) -> None:
    """On the made-up floor depth is a function of the row, so the object's is that of its lowest row."""
    quartet = source.render("train", IDS, 64)
    background = source.groups("train", IDS)[0]
    known = 0
    for i in range(len(IDS)):
        inside = quartet.mask[i, 0] > 0.5
        if quartet.valid[i, 0][inside].min() == 0:
            continue
        known += 1
        lowest = int(inside.any(1).nonzero().max())
        row = (lowest + 1) / 64 * 60
        expected = (1000 + 100 * int(background[i]) + 40 * (59 - row)) / 10_000
        found = quartet.depth[i, 0][inside].max().item()
        assert abs(found - expected) < 0.04 * 2.6, "within the neighbourhood of the foot"
        assert quartet.depth[i, 0][inside].std() < 1e-3 or quartet.depth[i, 0][inside].min() < found
    assert known > 30


def test_an_object_is_never_behind_what_it_covers(pictures) -> None:
    """A near packed_files hangs where objects cover it: they come forward with it."""
    for i in range(6):
        depth = pictures.floor(3000)
        depth[:30, :] = 900
        pictures.save_depth(f"room{i}_3", depth)
    source = compose(pictures)
    quartet = source.render("train", IDS, 64)
    empty = source._at_size[64][0].depths
    pool = source._choose("train", IDS)[0]
    behind = empty[pool][:, None]
    inside = (quartet.mask > 0.5) & (quartet.valid > 0) & (behind >= 0)
    assert (quartet.depth[inside] <= behind[inside]).all()
    over_shelf = inside & (behind < 0.1)
    assert over_shelf.any()
    assert (quartet.depth[over_shelf] == 0.09).all()


def test_holes_stay_holes(source: Composed) -> None:
    quartet = source.render("train", IDS, 64)
    outside = quartet.mask == 0
    background = source._at_size[64][0].depths[source._choose("train", IDS)[0]][:, None]
    assert torch.equal(quartet.valid[outside] > 0, background[outside] >= 0)
    assert torch.equal(quartet.depth[outside & (background >= 0)], background[outside & (background >= 0)])
    assert (quartet.depth[quartet.valid == 0] == 0).all()
    assert set(quartet.valid.unique().tolist()) == {0.0, 1.0}
    rows = (quartet.depth[outside & (quartet.valid > 0)] * 10_000).round().int()
    assert (rows % 10 == 0).all(), "no depth that is nowhere in the file"


def test_no_depth_at_the_foot_means_none_on_the_object(pictures) -> None:
    for i in range(6):
        depth = pictures.floor(1000)
        depth[15:, :] = 0
        pictures.save_depth(f"room{i}_3", depth)
    quartet = compose(pictures).render("train", IDS, 64)
    assert (quartet.valid[quartet.mask > 0.5] == 0).all()
    assert quartet.valid.max() == 1


def test_beyond_ten_metres_is_unknown(pictures) -> None:
    depth = pictures.floor(1000)
    depth[:10] = 12_000
    pictures.save_depth("room0_3", depth)
    source = compose(pictures)
    source.render("train", IDS[:1], 64)
    assert (source._at_size[64][0].depths[0, :8] == -1).all()


def test_eight_bit_depth(pictures) -> None:
    for i in range(6):
        pictures.save_depth(f"room{i}_3", (pictures.floor(0) // 16).astype(np.uint8))
    source = compose(pictures, depth_unit="8bit")
    assert source.encoding != compose(pictures, bg_depth=None).encoding
    quartet = source.render("train", IDS, 64).check()
    assert quartet.valid.min() == 1


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
        photo.putpixel((0, 0), (len(stem), ord(stem[-1]), 9))  # files of one content are one scene
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


def test_too_few_scenes(pictures) -> None:
    for i in range(2, 6):
        (pictures.fg / f"thing{i}.png").unlink()
    with pytest.raises(BadData, match=r"cut-outs: only 2"):
        compose(pictures)


def test_unknown_words(pictures) -> None:
    for wrong in ({"depth_unit": "feet"}, {"scenes": "films"}, {"objects": "x"}, {"camera": "none"}, {"split": "fair"}):
        with pytest.raises((BenchError, UnknownName), match=r"choose one of:|bench list"):
            compose(pictures, **wrong)


# What people's folders are like.


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


def test_one_photograph_under_two_names_is_one_scene(pictures) -> None:
    for path in list(pictures.bg.glob("*.png")):
        shutil.copy(path, pictures.bg / f"copy of {path.stem[:5]}.png")
    source = compose(pictures, bg_depth=None)
    assert sum(part["scenes"] for part in source.describe()["parts"].values()) == 6
    assert any("and are merged" in note for note in source.notes)
    shown = {part: source.scenes(part, torch.arange(200), 16).bg.flatten(1) for part in ("train", "val", "test")}
    for one, other in (("train", "test"), ("train", "val"), ("val", "test")):
        assert not {tuple(row) for row in shown[one].tolist()} & {tuple(row) for row in shown[other].tolist()}


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


def test_other_suffixes_are_read_or_counted(pictures) -> None:
    photo = Image.open(pictures.bg / "room0_3.png")
    for suffix in ("webp", "tif", "bmp", "jpg", "JPEG"):
        photo.save(pictures.bg / f"other{suffix}.{suffix}")
    (pictures.bg / "raw.heic").write_bytes(b"x")
    (pictures.bg / "._room0_3.jpg").write_bytes(b"resource fork")
    source = compose(pictures, bg_depth=None)
    assert sum(part["backgrounds"] for part in source.describe()["parts"].values()) == 11
    assert any("1 .heic, 1 .txt not looked at" in note for note in source.notes)


def test_names_composed_and_decomposed_are_one(pictures) -> None:
    """macOS decomposes accents."""
    for folder, form in ((pictures.bg, "NFC"), (pictures.depth, "NFD")):
        (folder / "room0_3.png").rename(folder / f"{unicodedata.normalize(form, 'café_1')}.png")
    assert compose(pictures).describe()["skipped"] == 0


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
