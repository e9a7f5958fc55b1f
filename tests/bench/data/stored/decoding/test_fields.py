"""What files become: masks, depth and pictures of every kind, squares, plates, unknown values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BenchError
from bench.data.images.colour_maps import painted
from bench.data.stored.decoding import depth_codes, fields, images
from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.decoding.mask_values import MaskValues
from bench.data.stored.source import Stored

Y, X = np.mgrid[0:40, 0:40]
DISC = (np.hypot(X - 20, Y - 18) < 10).astype(np.uint8)


def one_set(root: Path, count: int = 4, **fields) -> Path:
    """Pictures with partners: name of a folder and suffix to a function that writes a file."""
    for i in range(count):
        for name, save in {
            "images.png": lambda path, i=i: Image.fromarray(np.full((40, 40, 3), 40 * i, np.uint8)).save(path),
            **fields,
        }.items():
            folder, _, suffix = name.partition(".")
            path = root / folder / f"{chr(97 + i) * 3}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            save(path)
    return root


def image(pixels, mode=None, **how):
    made = Image.fromarray(pixels)
    return lambda path: (made if mode is None else made.convert(mode)).save(path, **how)


MASKS = {
    "grey": ({"masks.png": image(DISC * 255)}, {}),
    "jpeg": ({"masks.jpg": image(DISC * 255, quality=60)}, {}),
    "colour": ({"masks.png": image(DISC * 255, "RGB")}, {}),
    "bits": ({"masks.png": image(DISC * 255, "1")}, {}),
    "numbers": ({"masks.png": image(DISC)}, {}),
    "sixteen": ({"masks.png": image(DISC.astype(np.uint16) * 65535)}, {}),
    "palette": ({"masks.gif": image(DISC * 255, "P")}, {}),
    "alpha": ({"masks.png": image(np.stack([*[np.full_like(DISC, 50)] * 3, DISC * 255], -1))}, {"foreground": "alpha"}),
    "white alpha": ({"masks.png": image(np.stack([*[np.full_like(DISC, 255)] * 3, DISC * 255], -1))}, {}),
    "black": ({"masks.png": image(255 - DISC * 255)}, {"foreground": "black"}),
    "webp": ({"masks.webp": image(DISC * 255, "RGB", quality=80)}, {}),
    "bmp": ({"masks.bmp": image(DISC * 255)}, {}),
    "declared": ({"masks.png": image(DISC * 7 + 3)}, {"mask_values": "fg=10"}),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masks_of_every_kind(tmp_path: Path, kind: str) -> None:
    fields, options = MASKS[kind]
    mask = Stored(one_set(tmp_path, **fields), **options).render("train", torch.tensor([0]), 40).check().mask
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert (mask[0, 0] - torch.from_numpy(DISC)).abs().sum() <= (12 if kind in ("jpeg", "webp") else 0)


def test_soft_masks_stay_grey(tmp_path: Path) -> None:
    soft = np.clip(12 - np.hypot(X - 20, Y - 18), 0, 1) * 255
    root = one_set(tmp_path, **{"masks.png": image(soft.astype(np.uint8))})
    hard, kept = (Stored(root, soft_masks=soft).render("train", torch.tensor([0]), 40).mask for soft in (False, True))
    assert ((kept > 0.05) & (kept < 0.95)).any()
    assert torch.equal(hard, (kept * 255 >= 128).float())


def test_unknown_values_count_nowhere(tmp_path: Path) -> None:
    """As motion data marks them: 255 moves, 85 is not looked at, 170 is unknown."""
    values = np.zeros((40, 40), np.uint8)
    values[:, :10], values[:, 10:20], values[:, 20:30], values[:, 30:] = 255, 170, 85, 50
    source = Stored(one_set(tmp_path, **{"masks.png": image(values)}), mask_values="fg=255 unknown=85,170")
    quartet = source.render("train", torch.tensor([0]), 40).check()
    assert quartet.mask[0, 0, 0].tolist() == [1.0] * 10 + [0.0] * 30
    assert quartet.mask_valid[0, 0, 0].tolist() == [1.0] * 10 + [0.0] * 20 + [1.0] * 10
    for wrong in ("fg=x", "bg=1", "unknown=3", "fg=1,"):
        with pytest.raises(BenchError, match="mask-values"):
            MaskValues.parse(wrong)


MILLIMETRES = (1000 + 60 * Y + 10 * X).astype(np.uint16) * (DISC == 0)


def pfm(path: Path) -> None:
    metres = (MILLIMETRES / 1000).astype("<f4")
    path.write_bytes(b"Pf\n40 40\n-1.0\n" + np.ascontiguousarray(metres[::-1]).tobytes())


def float_tiff(path: Path) -> None:
    Image.fromarray((MILLIMETRES / 1000).astype(np.float32)).save(path)


DEPTHS = {
    "sixteen bits": ({"depth.png": image(MILLIMETRES)}, {}),
    "tiff of sixteen bits": ({"depth.tif": image(MILLIMETRES)}, {}),
    "npy": ({"depth.npy": lambda path: np.save(path, (MILLIMETRES / 1000).astype(np.float64))}, {}),
    "npy with a channel": (
        {"depth.npy": lambda path: np.save(path, (MILLIMETRES / 1000).astype(np.float16)[..., None])},
        {},
    ),
    "npy with NaN": (
        {"depth.npy": lambda path: np.save(path, np.where(MILLIMETRES > 0, MILLIMETRES / 1000, np.nan))},
        {},
    ),
    "pfm": ({"depth.pfm": pfm}, {}),
    "float tiff": ({"depth.tif": float_tiff}, {}),
    "tum": ({"depth.png": image(MILLIMETRES * 5)}, {"depth_unit": "tum"}),
    "kitti": (
        {"depth.png": image((MILLIMETRES * 0.256).round().astype(np.uint16))},
        {"depth_unit": "kitti", "depth_range": "0 10"},
    ),
    "scale": ({"depth.png": image(MILLIMETRES * 2)}, {"depth_scale": 2000.0}),
}


@pytest.mark.parametrize("kind", DEPTHS)
def test_depth_of_every_kind(tmp_path: Path, kind: str) -> None:
    fields, options = DEPTHS[kind]
    source = Stored(one_set(tmp_path, **fields), **options)
    quartet = source.render("train", torch.tensor([0]), 40).check()
    known = torch.from_numpy(MILLIMETRES > 0)
    assert source.encoding == "metric, 1.0 = 10 m"
    assert torch.equal(quartet.valid[0, 0] > 0, known)
    assert (quartet.depth[0, 0] - torch.from_numpy(MILLIMETRES / 1e4)).abs()[known].max() < 3e-4
    assert quartet.bg is None
    assert quartet.mask is None
    assert any("known in" in note and "median" in note for note in source.notes)


def test_depth_in_colours_states_its_error(tmp_path: Path) -> None:
    levels = (Y * 5 + X).astype(np.uint8)
    source = Stored(one_set(tmp_path, **{"depth.jpg": image(painted(levels, "plasma"), quality=85, subsampling=0)}))
    quartet = source.render("train", torch.tensor([0]), 40)
    assert (quartet.depth[0, 0] - torch.from_numpy(levels) / 255).abs().median() < 0.02
    assert source.encoding == "colour map plasma, 1.0 = its last entry"
    assert any("colours of plasma" in note and "off" in note for note in source.notes)


def test_squares(tmp_path: Path) -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, :20], wide[:, 20:40], wide[:, 40:] = 50, 100, 200
    mask = np.full((20, 60), 255, np.uint8)
    root = one_set(tmp_path, **{"images.png": image(wide), "masks.png": image(mask)})
    crop, pad, stretch = (
        Stored(root, fit=fit, split="shared").render("train", torch.tensor([0]), 24).check()
        for fit in ("crop", "pad", "stretch")
    )
    assert (crop.bg_fg[..., 2:-2] * 255).round().unique().tolist() == [100]
    assert torch.allclose(stretch.bg_fg[0, 0, 12, [2, 12, 21]] * 255, torch.tensor([50.0, 100, 200]))
    assert pad.bg_fg[0, 0, 12, 12] * 255 == 100
    assert pad.mask_valid[0, 0, :, 0].tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 8
    assert torch.equal(pad.mask, pad.mask_valid)
    with pytest.raises(BenchError, match="crop, pad, stretch"):
        Stored(root, fit="cover")


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "1", "I;16"])
def test_pictures_of_every_kind(mode: str, tmp_path: Path) -> None:
    grey = (DISC * 200).astype(np.uint8)
    picture = (
        Image.fromarray(grey.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(grey).convert("RGB").convert(mode)
    )
    path = tmp_path / f"x.{'tif' if mode == 'CMYK' else 'png'}"
    picture.save(path)
    pixels, aspect = fields.photograph(path.read_bytes(), 40, "crop")
    assert aspect == 1
    expected = (DISC * 255) if mode == "1" else grey
    assert np.abs(pixels[..., 0].astype(int) - expected).mean() < (30 if mode == "1" else 2)


def test_jpeg_is_decoded_no_smaller_than_needed(tmp_path: Path) -> None:
    for side in (16, 40, 64, 224):
        big = Image.fromarray(((np.mgrid[0:224, 0:300][1]) // 2).astype(np.uint8))
        big.save(tmp_path / "x.jpg", quality=95)
        content = (tmp_path / "x.jpg").read_bytes()
        assert min(images.open_image(content, least=side).size) >= side
        quick, _ = fields.photograph(content, side, "crop")
        slow = np.asarray(big.convert("RGB").crop((38, 0, 262, 224)).resize((side, side), Image.Resampling.BILINEAR))
        assert np.abs(quick.astype(int) - slow).mean() < 2.5


def test_depth_codes_keep_what_matters() -> None:
    values = np.linspace(0, 1, 1001, dtype=np.float32)
    values[7] = -1
    codes = depth_codes.encode_depth(values, np.dtype("<u2"))
    read, known = depth_codes.decode_depth(codes)
    assert known.tolist() == [float(i != 7) for i in range(1001)]
    assert np.abs(read - values)[known > 0].max() < 1e-5
    eight = np.arange(256, dtype=np.uint8)
    assert (depth_codes.encode_depth(eight / np.float32(255), np.dtype("u1")) == eight).all()
    assert DecodeOptions().fit == "crop"


def test_plates_of_a_video(tmp_path: Path) -> None:
    """A ball crosses a wall: the median of every other frame is the wall."""
    draw = np.random.default_rng(0)
    for clip in ("a", "b", "c"):
        wall = draw.integers(60, 200, (32, 32, 3), dtype=np.uint8)
        for n in range(12):
            frame, mask = wall.copy(), np.zeros((32, 32), np.uint8)
            mask[10:20, 2 * n : 2 * n + 8] = 255
            frame[mask > 0] = 255
            for folder, pixels in (("frames", frame), ("masks", mask)):
                path = tmp_path / clip / folder / f"{n:03}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
        Image.fromarray(wall).save(tmp_path / clip / "plate.png")
    files = "image=frames/{n}.png mask=masks/{n}.png"
    made = Stored(tmp_path, files=files, plate="median", plate_every=2)
    given = Stored(tmp_path, files=f"bg={{clip}}/plate.png {files.replace('=', '={clip}/')}")
    assert "each background is the median of 6 pictures of its scene" in made.notes and not made.warnings
    rare = Stored(tmp_path, files=files, plate="median")
    (warning,) = rare.warnings
    assert "each background is the median of 2 pictures of its scene" in rare.notes
    assert (
        "3 of 3 backgrounds are the median of fewer than 3 pictures" in warning and "--plate-every below 10" in warning
    )
    for part in ("train", "val", "test"):
        assert made.count(part) == given.count(part) == 12, "a clip each"
    ids = torch.arange(12)
    for part in ("train", "val", "test"):
        quartet = given.render(part, ids, 32)
        outside = (quartet.mask == 0).expand_as(quartet.bg)
        assert torch.equal(quartet.bg[outside], quartet.bg_fg[outside])
        quartet = made.render(part, ids, 32)
        assert (
            (quartet.bg - quartet.bg_fg).abs()[(quartet.mask == 0).expand_as(quartet.bg)] > 0.02
        ).float().mean() < 0.05
