"""Kernels against what they replace: on a GPU, and on a CPU under Triton's interpreter, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from bench.data.augment.pipeline import augment
from bench.data.camera.condition import Camera, find_camera, translate
from bench.data.composed.pasting import composite_depth
from bench.data.counter_random import normal, quantiles, stream_key, uniform
from bench.data.images.jpeg import compress_in_place, compress_jpeg
from bench.data.kernels import available
from bench.data.loading.packed import Form, Packed, pack, unpack
from registry.contract import Quartet
from tests.bench.data.kernels.made import make, pictures, quartet_of

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
INTERPRETER = pytest.mark.skipif(not INTERPRETED, reason="run by the test of the interpreter")
GPU = pytest.mark.skipif(not torch.cuda.is_available() or INTERPRETED, reason="needs a GPU")
pytestmark = pytest.mark.filterwarnings("error:.*kernels? in Triton:RuntimeWarning")
KINDS = ("synthetic", "composed", "composed without depth")


@pytest.fixture(
    params=[pytest.param("cpu", marks=INTERPRETER), pytest.param("cuda", marks=[pytest.mark.cuda, GPU])],
    ids=["interpreted", "compiled"],
)
def device(request) -> str:
    return request.param


@pytest.fixture
def fused(device: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Kernels are used, until `eager` says otherwise."""
    with monkeypatch.context() as patch:
        if device == "cpu":
            patch.setattr(available, "compiles", lambda device, kernel="": True)
        else:
            assert available.compiles(torch.device("cuda")), available._failed
        yield patch


def eager(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(available, "compiles", lambda device, kernel="": False)


@pytest.mark.skipif(find_spec("triton") is None or INTERPRETED, reason="needs Triton")
def test_the_interpreter_agrees() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__, "-k", "interpreted"],
        cwd=Path(__file__).parents[4],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout


@pytest.mark.parametrize("columns", [1, 9, 300])
def test_draws_are_the_same_bits(fused, device: str, columns: int) -> None:
    ids = torch.tensor([0, 3, -5, 2**40 + 1, 77, 2**62], device=device)
    drawn = uniform(3, "a", ids, columns)
    eager(fused)
    assert torch.equal(drawn, uniform(3, "a", ids, columns))


@pytest.mark.parametrize("size", [16, 40])
def test_noise_is_the_same_bits(fused, device: str, size: int) -> None:
    from bench.data.kernels.exposure import expose

    images, ids = pictures(3, size, device), torch.tensor([0, -5, 2**40 + 1], device=device)
    exposed = expose(images, ids, stream_key(1, "n"), quantiles(ids.device), 0.05)
    noise = normal(1, "n", ids, images[0].numel()).view_as(images)
    assert torch.equal(exposed, noise.mul_(0.05).add_(images).clamp_(0, 1))


@pytest.mark.parametrize("reach", [0.0, 0.03, 0.5])
def test_pictures_move_as_grid_sample_moves_them(fused, device: str, reach: float) -> None:
    from bench.data.kernels.exposure import expose

    images, ids = pictures(4, 24, device), torch.arange(4, device=device)
    shift = (uniform(0, "shift", ids, 2) * 2 - 1) * reach
    shift[0] = torch.tensor([reach, -reach])
    gain = 0.8 + 0.4 * uniform(0, "gain", ids, 3)
    moved = expose(images, ids, 1, quantiles(ids.device), 0.0, (shift, gain))
    expected = translate(images, shift).mul_(gain[:, :, None, None]).clamp_(0, 1)
    torch.testing.assert_close(moved, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("size", [16, 40, 64])
def test_jpeg_is_the_same_but_for_ties(fused, device: str, size: int) -> None:
    """A sum of 64 products may land on the other side of a half: this changes at most 1 block in 1000."""
    count = 8 if device == "cpu" else 400
    quality = torch.tensor([0.0, 1, 40, 49, 50, 75, 90, 100], device=device).repeat(count // 8)
    images = pictures(count, size, device)
    expected = compress_jpeg(images, quality.clamp(min=1))
    compressed = compress_in_place(images.clone(), quality)
    assert torch.equal(compressed[quality == 0], images[quality == 0])
    wrong = (compressed - expected)[quality > 0].abs() > 1e-6
    blocks = wrong.unfold(2, 8, 8).unfold(3, 8, 8).any(-1).any(-1).any(1)
    assert blocks.float().mean() < 1e-3
    alone = compress_in_place(images[3:4].clone(), quality[3:4])
    assert torch.equal(alone[0], compressed[3]), "a sample does not depend on its batch"


def test_the_depth_where_an_object_stands(fused, device: str, shared_pictures) -> None:
    source = make("composed", shared_pictures, device, camera="still")
    ids = torch.arange(12, device=device)
    kernels = source.render("train", ids, 16)
    eager(fused)
    reference = source.render("train", ids, 16)
    assert torch.equal(kernels.valid, reference.valid)
    assert (kernels.valid == 0).any()
    torch.testing.assert_close(kernels.depth, reference.depth, rtol=0, atol=1e-6)
    nothing = torch.full((2, 16, 16), -1.0)
    assert not composite_depth(nothing, torch.full((2, 2), 0.5), torch.ones(2, 16, 16))[1].any()


@pytest.mark.parametrize("parts", [("bg", "mask"), ("bg", "mask", "depth", "valid"), ("mask", "mask_valid")])
def test_packing_is_the_same_bytes(fused, device: str, parts: tuple[str, ...]) -> None:
    given = quartet_of(parts, 24, device)
    packed = pack(given)
    eager(fused)
    assert torch.equal(packed.rows, pack(given).rows)


@pytest.mark.parametrize("parts", [("bg", "mask"), ("bg", "mask", "depth", "valid"), ("mask", "mask_valid")])
def test_unpacking_is_the_same_but_for_the_last_digit(fused, device: str, parts: tuple[str, ...]) -> None:
    """Divided exactly, as a CPU does; torch multiplies by 1 / 255 on a GPU."""
    rows = torch.randint(0, 60, (5, Form.of(quartet_of(parts, 24, device)).bytes), device=device).byte()
    packed = Packed(rows, Form.of(quartet_of(parts, 24, device)))
    chosen = torch.tensor([4, 0, 4], device=device)
    for part, of in ((packed, None), (Packed(rows[2:4], packed.form), None), (packed, chosen)):  # live serves slices
        by_kernel = unpack(part, of)
        with fused.context() as patch:
            eager(patch)
            reference = unpack(part, of)
        assert [name for name, _ in by_kernel.tensors()] == [name for name, _ in reference.tensors()]
        for (name, ours), (_, theirs) in zip(by_kernel.tensors(), reference.tensors(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1.2e-7, atol=0, msg=name)
            assert ours.stride() == theirs.stride(), name
            exact = unpack(Packed(part.rows.cpu(), part.form), None if of is None else of.cpu())
            assert torch.equal(ours.cpu(), getattr(exact, name)), name


@pytest.mark.parametrize("size", [24, 40])
def test_mirrored_images_are_the_same_bits(fused, device: str, size: int) -> None:
    from bench.data.kernels.mirroring import mirror

    quartet = quartet_of(("bg", "mask", "depth", "valid"), size, device)
    images = [image for _, image in quartet.tensors()]
    images[0] = images[0].contiguous(memory_format=torch.channels_last)
    chosen = torch.tensor([True, False, True], device=device)
    for image, done in zip(images, mirror(images, chosen), strict=True):
        assert torch.equal(done[1], image[1])
        assert torch.equal(done[::2], image[::2].flip(-1))
        assert done.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("text", ["flip", "standard[zoom=0]"])
def test_mirroring_by_a_kernel_is_the_same_on_a_gpu(text: str) -> None:
    ids = torch.arange(3)
    quartet = quartet_of(("bg", "mask", "depth", "valid"), 16, "cpu")
    there = augment(quartet.map(lambda image: image.cuda()), 0, 1, ids, text)
    torch.testing.assert_close(there.mask.cpu(), augment(quartet, 0, 1, ids, text).mask, rtol=0, atol=0)
    torch.testing.assert_close(there.bg.cpu(), augment(quartet, 0, 1, ids, text).bg)


@pytest.mark.parametrize("empty_share", [0.0, 0.4])
@pytest.mark.parametrize("kind", KINDS)
def test_scenes_are_the_same(fused, device: str, kind: str, empty_share: float, shared_pictures) -> None:
    source = make(kind, shared_pictures, device, camera="still", empty_share=empty_share)
    count, size = (3, 8) if device == "cpu" else (256, 64)
    ids = torch.arange(count, device=device)
    kernels = source.render("train", ids, size)
    alone = source.render("train", ids[2:3], size)
    eager(fused)
    assert_same(kernels, source.render("train", ids, size), few=1e-3)
    for name, tensor in alone.tensors():
        assert torch.equal(tensor[0], getattr(kernels, name)[2]), f"{name} depends on the batch"


@pytest.mark.parametrize("camera", ["handheld", "handheld[gain=0.9,highest=100,jpeg=1,lowest=1,noise=1,shift=0.5]"])
@pytest.mark.parametrize("kind", KINDS)
def test_photographs_are_the_same(fused, device: str, kind: str, camera: str, shared_pictures) -> None:
    source = make(kind, shared_pictures, device, camera=camera)
    count, size = (2, 8) if device == "cpu" else (256, 64)
    ids = torch.arange(count, device=device)
    kernels = source.render("val", ids, size)
    eager(fused)
    # Where a pixel is rounded the other way, JPEG may change its whole block a little.
    assert_same(kernels, source.render("val", ids, size), few=1e-2)


def assert_same(kernels: Quartet, reference: Quartet, few: float) -> None:
    """Equal but for rounding, and but for ``few`` of the pixels, such as on edges and at ties."""
    assert [name for name, _ in kernels.tensors()] == [name for name, _ in reference.tensors()]
    for name, tensor in reference.tensors():
        difference = (tensor - getattr(kernels, name)).abs()
        assert difference.mean() < 5e-4, name
        assert (difference > 1e-4).float().mean() < few, name


def test_a_camera_of_noise_alone(fused, device: str) -> None:
    assert find_camera("handheld").jpeg > 0
    scenes = Quartet(None, pictures(2, 16, device), torch.zeros(2, 1, 16, 16, device=device))
    ids = torch.arange(2, device=device)
    shot = Camera(noise=0.1).shoot(scenes, 0, "s", ids)
    eager(fused)
    assert torch.equal(shot.bg_fg, Camera(noise=0.1).shoot(scenes, 0, "s", ids).bg_fg)
