from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import fft, ndimage
from torch import Tensor

from bench.core.errors import BenchError
from bench.data.camera import cameras
from bench.data.camera.condition import Camera, find_camera, translate
from bench.data.images.jpeg import compress_jpeg
from registry.contract import Quartet
from registry.errors import BadParameter, UnknownName

HANDHELD = find_camera("handheld")


def picture(height: int, width: int) -> Tensor:
    """Smooth colours with some edges and grain, on the 256 levels of a file, (1, 3, H, W)."""
    draw = torch.Generator().manual_seed(height * width)
    image = torch.nn.functional.interpolate(
        torch.rand(1, 3, 6, 5, generator=draw), size=(height, width), mode="bicubic"
    )
    image[:, :, height // 3 : height // 2, width // 4 :] *= 0.4
    return ((image + 0.05 * torch.randn(image.shape, generator=draw)).clamp(0, 1) * 255).round() / 255


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 50), (24, 41)])
@pytest.mark.parametrize("quality", [40, 65, 90])
def test_jpeg_is_what_pillow_makes(height: int, width: int, quality: int) -> None:
    image = picture(height, width)
    pixels = (image[0].permute(1, 2, 0) * 255).round().byte().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=0)
    expected = np.asarray(Image.open(file)).astype(float)
    ours = (compress_jpeg(image, torch.tensor([float(quality)]))[0] * 255).permute(1, 2, 0).numpy()
    # libjpeg computes in integers: where steps are fine, some coefficients are rounded the other way.
    assert np.abs(ours - expected).mean() < 0.3 * np.abs(pixels - expected).mean()


@pytest.mark.parametrize("quality", [40, 90])
def test_jpeg_is_quantisation_of_scipys_dct(quality: int) -> None:
    image = picture(32, 40)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=quality)
    luma, chroma = (np.array(table).reshape(8, 8) for table in Image.open(file).quantization.values())
    matrix = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    planes = np.round(np.einsum("ij,jhw->ihw", matrix, image[0].double().numpy() * 255))
    planes[0] -= 128
    for plane, steps in zip(planes, (luma, chroma, chroma), strict=True):
        for y in range(0, 32, 8):
            for x in range(0, 40, 8):
                block = plane[y : y + 8, x : x + 8]
                levels = fft.dctn(block, norm="ortho") / steps
                levels = np.sign(levels) * np.floor(np.abs(levels) + 0.5 + 1e-6)
                block[:] = np.clip(np.round(fft.idctn(levels * steps, norm="ortho")), -128, 127)
    planes[0] += 128
    expected = np.clip(np.round(np.einsum("ij,jhw->ihw", np.linalg.inv(matrix), planes)), 0, 255)
    ours = compress_jpeg(image, torch.tensor([float(quality)]))[0].numpy() * 255
    # Colours halfway between two levels are rounded either way; each changes its block a little.
    assert (np.abs(ours - expected) > 0.5).mean() < 0.15
    assert np.abs(ours - expected).mean() < 0.2


def test_jpeg_quality_is_per_image() -> None:
    image = picture(32, 32).expand(2, -1, -1, -1)
    both = compress_jpeg(image, torch.tensor([40.0, 90.0]))
    assert torch.equal(both[1:], compress_jpeg(image[:1], torch.tensor([90.0])))
    errors = (both - image).abs().mean((1, 2, 3))
    assert errors[0] > 1.5 * errors[1]


@pytest.mark.parametrize("shift", [(0.03, -0.02), (-0.011, 0.0), (0.0, 0.0)])
def test_translate_is_scipys_shift(shift: tuple[float, float]) -> None:
    image = picture(40, 48)
    moved = translate(image, torch.tensor([shift]))
    expected = ndimage.shift(
        image[0].double().numpy(), (0, shift[1] * 48, shift[0] * 48), order=1, mode="reflect", prefilter=False
    )
    np.testing.assert_allclose(moved[0].numpy(), expected, atol=2e-5)


def test_still_is_the_same_picture() -> None:
    quartet = Quartet(picture(16, 16), picture(24, 24))
    assert find_camera("still").shoot(quartet, 0, "s", torch.tensor([1])) is quartet
    assert find_camera("still").draws(0, "s", torch.tensor([1])) == {}


def test_draws_keep_to_their_limits() -> None:
    drawn = HANDHELD.draws(0, "s", torch.arange(5000))
    assert 0.0295 < drawn["shift"].abs().max() <= 0.03
    assert 0.119 < (drawn["gain"] - 1).abs().max() <= 0.12 + 1e-6
    assert (drawn["noise"] == 0.02).all()
    for name in ("jpeg_bg", "jpeg_bg_fg"):
        compressed = drawn[name] > 0
        assert abs(compressed.float().mean() - 0.3) < 0.03
        assert drawn[name][compressed].min() == 40
        assert drawn[name][compressed].max() == 90
    both = ((drawn["jpeg_bg"] > 0) & (drawn["jpeg_bg_fg"] > 0)).float().mean()
    assert abs(both - 0.09) < 0.02


def test_what_is_recorded_is_what_happens() -> None:
    camera = Camera(shift=0.03, gain=0.12)
    scene, ids = picture(32, 32).expand(6, -1, -1, -1) * 0.8, torch.arange(6)
    shot = camera.shoot(Quartet(scene, scene), 5, "s", ids)
    drawn = camera.draws(5, "s", ids)
    assert torch.equal(shot.bg_fg, scene)
    expected = translate(scene, drawn["shift"]) * drawn["gain"][:, :, None, None]
    torch.testing.assert_close(shot.bg, expected.clamp(0, 1))


def test_noise_is_independent_and_of_the_stated_strength() -> None:
    grey = torch.full((8, 3, 64, 64), 0.5)
    shot = Camera(noise=0.02).shoot(Quartet(grey, grey), 1, "s", torch.arange(8))
    a, b = ((image - grey).double() for image in (shot.bg, shot.bg_fg))
    for noise in (a, b):
        assert abs(noise.std() - 0.02) < 2e-4
    assert abs((a * b).mean()) < 5 * 0.02**2 / np.sqrt(a.numel())


def test_targets_stay() -> None:
    mask = torch.rand(2, 1, 16, 16)
    image = torch.rand(2, 3, 16, 16)
    shot = HANDHELD.shoot(Quartet(image, image, mask, mask, torch.ones_like(mask)), 1, "s", torch.arange(2))
    assert shot.mask is mask
    assert shot.depth is mask
    shot.check()


def test_cameras_by_key() -> None:
    assert find_camera("handheld[shift=0.05]") == Camera(0.05, 0.12, 0.02, 0.3, (40, 90))
    assert find_camera("still").is_still
    assert cameras.canonical("handheld[ noise = 0.020 ]") == "handheld"
    with pytest.raises(UnknownName, match="handheld"):
        find_camera("handhold")


@pytest.mark.parametrize("key", ["handheld[shift=2]", "handheld[jpeg=-1]", "handheld[lowest=0]", "handheld[zoom=1]"])
def test_parameters_of_cameras_have_ranges(key: str) -> None:
    with pytest.raises(BadParameter, match=key.split("[")[1].split("=")[0]):
        find_camera(key)


def test_qualities_in_the_wrong_order() -> None:
    with pytest.raises(BenchError, match="lowest quality, 80"):
        find_camera("handheld[lowest=80,highest=20]")


def test_every_camera_gives_photographs() -> None:
    """At the ends of every range, too."""
    keys = [
        f"{name}[{parameter}={end:g}]"
        for name in cameras.names()
        for parameter, allowed in cameras.get(name).ranges.items()
        for end in (allowed.low, allowed.high)
        if (parameter, end) not in (("lowest", 100), ("highest", 1))
    ]
    scene = Quartet(torch.rand(4, 3, 24, 40), torch.rand(4, 3, 24, 40), torch.rand(4, 1, 24, 40))
    for key in [*keys, *cameras.names()]:
        find_camera(key).shoot(scene, 0, "s", torch.tensor([0, 1, 2**31, 2**62])).check()
