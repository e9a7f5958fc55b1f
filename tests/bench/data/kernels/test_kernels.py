"""Kernels against what they replace: on a GPU, and on a CPU under Triton's interpreter, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.data import counter_random
from bench.data.augment import standard
from bench.data.augment.pipeline import augment
from bench.data.camera import condition
from bench.data.camera.condition import Camera, find_camera, translate
from bench.data.composed import source as composed
from bench.data.composed.pasting import composite_depth
from bench.data.counter_random import normal, quantiles, stream_key, uniform
from bench.data.images.jpeg import compress_in_place, compress_jpeg
from bench.data.kernels import available
from bench.data.loading import packed
from bench.data.loading.loader import Loader, _arithmetic
from bench.data.loading.packed import Form, Packed, pack, unpack
from bench.data.source import Source, pixels_at_once
from bench.data.sources import open_source
from bench.data.synthetic import source as synthetic
from registry.contract import Quartet

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


def pictures(count: int, size: int, device: str) -> Tensor:
    """Smooth pictures with grain, (count, 3, size, size) in [0, 1]."""
    draw = torch.Generator().manual_seed(size)
    coarse = torch.rand(count, 3, 5, 5, generator=draw)
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic")
    return (smooth + 0.03 * torch.randn(smooth.shape, generator=draw)).clamp(0, 1).to(device)


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


def test_a_cpu_uses_no_kernels() -> None:
    with available.fused(torch.zeros(1), "draws") as by_kernel:
        assert not by_kernel
    code = "import sys, torch, bench.data.sources as s; from bench.data.loading.packed import pack;"
    code += "pack(s.open_source('synthetic', rooms=10, figures=20).render('train', torch.arange(2), 16));"
    code += "print('triton' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize("installed", [True, False])
def test_kernels_are_for_gpus_with_triton(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    monkeypatch.setattr(available, "_is_installed", lambda: installed)
    assert available.compiles(torch.device("cuda")) is installed
    assert not available.compiles(torch.device("cpu"))


class Broken(ModuleType):
    """A module of kernels each of which fails; counts how often they were called."""

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(name)
        self.error, self.calls = error, 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def kernel(*args: Any, **kwargs: Any) -> None:
            self.calls += 1
            raise self.error

        return kernel


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, BaseException], Broken]:
    """Makes a module of kernels fail, on a machine that seems to have kernels, none of which works here."""

    def make(name: str, error: BaseException) -> Broken:
        monkeypatch.setattr(available, "_failed", {})
        monkeypatch.setattr(
            available, "compiles", lambda device, kernel="all": not available._failed.keys() & {kernel, "all"}
        )
        module = Broken(f"bench.data.kernels.{name}", error)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return module

    return make


def alone(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    """No kernel but this one is tried: on a CPU the others would fail for reasons of their own."""
    for module in (counter_random, synthetic, composed, condition, packed):
        monkeypatch.setattr(
            module, "fused", lambda x, name: available.fused(x, name) if name == kernel else nullcontext(False)
        )


def rows_of(kind: str, files: Any) -> Tensor:
    """Photographs as a loader serves them, both compressed."""
    loader = Loader(make(kind, files, "cpu", camera="handheld[jpeg=1]"), "train", 6, 16, 2, 2**30)
    return torch.cat([torch.cat(batch.quartet.inputs, 1) for batch in loader.in_order()])


@pytest.mark.parametrize(
    ("kernel", "kind"),
    [
        ("draws", "synthetic"),
        ("scenes", "synthetic"),
        ("compositions", "composed"),
        ("exposure", "composed"),
        ("interleave", "composed"),
    ],
)
def test_a_kernel_that_fails_leaves_its_share_to_torch(
    broken, shared_pictures, monkeypatch, kernel: str, kind: str
) -> None:
    """Whichever it is: told once, never tried again, and what is served is torch's."""
    expected = rows_of(kind, shared_pictures)
    for module in {counter_random, synthetic, composed, condition, packed}:  # other kernels would come first
        monkeypatch.setattr(
            module, "fused", lambda x, name: available.fused(x, name) if name == kernel else nullcontext()
        )
    failing = broken(kernel, RuntimeError("out of resource: shared memory\nRequired: 9"))
    with pytest.warns(RuntimeWarning, match=f"`{kernel}`.*RuntimeError: out of resource: shared memory$") as told:
        assert torch.equal(rows_of(kind, shared_pictures), expected)
    assert len(told) == failing.calls == 1
    assert not available.compiles(torch.device("cuda"), kernel)
    assert available.compiles(torch.device("cuda"), "another") and available.compiles(torch.device("cuda"))


def test_jpeg_falls_back_too(broken) -> None:
    images, quality = pictures(3, 16, "cpu"), torch.tensor([0.0, 40, 90])
    expected = condition.compress_some(images.clone(), quality)
    broken("jpeg", RuntimeError())
    with pytest.warns(RuntimeWarning, match="no reason given"):
        assert torch.equal(condition.compress_some(images.clone(), quality), expected)


def test_unpacking_falls_back_too(broken) -> None:
    packed = pack(quartet_of(("bg", "mask", "depth", "valid"), 16, "cpu"))
    expected = unpack(packed)
    broken("unpacking", RuntimeError("no compiler"))
    with pytest.warns(RuntimeWarning, match="no compiler"):
        found = unpack(packed)
    assert all(torch.equal(image, getattr(expected, name)) for name, image in found.tensors())


def test_mirroring_falls_back_too(broken) -> None:
    quartet = quartet_of(("bg", "mask"), 16, "meta")
    failing = broken("mirroring", RuntimeError("no compiler"))
    with pytest.warns(RuntimeWarning, match="no compiler"):
        found = standard._flip(quartet, torch.zeros(3, dtype=torch.bool, device="meta"))
    assert [(name, image.shape) for name, image in found.tensors()] == [(n, i.shape) for n, i in quartet.tensors()]
    assert failing.calls == 1


def test_a_loader_keeps_the_file_of_what_renders(broken, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a file of samples says whether kernels made them, so that it is chosen when they were tried."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    broken("draws", RuntimeError("no compiler"))
    alone(monkeypatch, "draws")
    assert _arithmetic(torch.device("cuda")) == "a GPU, kernels"
    with pytest.warns(RuntimeWarning, match="no compiler"):
        Loader.form_of(open_source("synthetic", rooms=10, figures=20), "train", 16)
    assert _arithmetic(torch.device("cuda")) == "a GPU, kernels but draws"
    available._failed.clear()
    with pytest.warns(RuntimeWarning, match="`jpeg`|`unpacking`"):
        available._give_up("jpeg", ValueError("of its own"))
        available._give_up("unpacking", ValueError("of another"))  # of samples that are made, whoever made them
    assert _arithmetic(torch.device("cuda")) == "a GPU, kernels but jpeg"
    with pytest.warns(RuntimeWarning, match="^kernels in Triton"):
        available._give_up("exposure", ValueError("of its own"))
    assert _arithmetic(torch.device("cuda")) == "a GPU"


def test_triton_that_cannot_be_imported_is_as_good_as_none(broken, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = uniform(0, "a", torch.arange(3), 2)
    broken("draws", RuntimeError())
    monkeypatch.setitem(sys.modules, "bench.data.kernels.draws", None)
    with pytest.warns(RuntimeWarning, match="^kernels in Triton cannot be used.*ModuleNotFoundError"):
        assert torch.equal(uniform(0, "a", torch.arange(3), 2), expected)
    assert not available.compiles(torch.device("cuda"), "jpeg")


def test_two_kernels_that_fail_alike_are_told_as_all(broken) -> None:
    """There is no C compiler: told twice, not once for each kernel."""
    broken("draws", RuntimeError())
    gpu, error = torch.device("cuda"), RuntimeError("Failed to find C compiler.")
    with pytest.warns(RuntimeWarning, match="the kernel in Triton `draws` cannot be used"):
        available._give_up("draws", error)
    assert available.compiles(gpu, "jpeg") and not available.compiles(gpu, "draws")
    with pytest.warns(RuntimeWarning, match="^kernels in Triton cannot be used.*Failed to find C compiler"):
        available._give_up("scenes", error)
    assert not available.compiles(gpu, "jpeg") and not available.compiles(gpu)


def test_unpacking_and_mirroring_cost_no_rendering(broken) -> None:
    """They run first when a batch is served; what renders goes on by kernels."""
    packed = pack(quartet_of(("bg", "mask"), 16, "cpu"))
    broken("unpacking", RuntimeError("out of resource"))
    with pytest.warns(RuntimeWarning, match="`unpacking`"):
        unpack(packed)
    rendering = ("draws", "scenes", "compositions", "exposure", "jpeg", "interleave")
    assert all(available.compiles(torch.device("cuda"), kernel) for kernel in rendering)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), KeyboardInterrupt()])
def test_a_lack_of_memory_is_no_fault_of_a_kernel(broken, error: BaseException) -> None:
    broken("draws", error)
    with pytest.raises(type(error)):
        uniform(0, "a", torch.arange(3), 2)
    assert available.compiles(torch.device("cuda"))


def test_an_error_of_torch_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(available, "_failed", {})
    with pytest.raises(ValueError, match="of its own"), available.fused(torch.zeros(1), "draws") as by_kernel:
        assert not by_kernel
        raise ValueError("of its own")
    assert available._failed == {}


def test_a_gpu_renders_as_much_at_once_as_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, gigabyte, at_once = torch.device("cuda"), 2**30, pixels_at_once.__wrapped__
    found = []
    for free in (0, gigabyte, 10 * gigabyte, 140 * gigabyte):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, 160 * gigabyte))
        found.append(at_once(gpu))
    assert found == [2**20, 1258291, 12582912, 2**26]
    assert at_once(torch.device("cpu")) == 2**18


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
    for part in (packed, Packed(rows[2:4], packed.form)):  # the live tier serves slices
        by_kernel = unpack(part)
        with fused.context() as patch:
            eager(patch)
            reference = unpack(part)
        assert [name for name, _ in by_kernel.tensors()] == [name for name, _ in reference.tensors()]
        for (name, ours), (_, theirs) in zip(by_kernel.tensors(), reference.tensors(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1.2e-7, atol=0, msg=name)
            assert ours.stride() == theirs.stride(), name
            exact = unpack(Packed(part.rows.cpu(), part.form)) if device == "cuda" else reference
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


def quartet_of(parts: tuple[str, ...], size: int, device: str) -> Quartet:
    """Three samples with those images beside ``bg_fg``."""
    images, other = pictures(3, size, device), pictures(3, size, device)
    planes = {name: other[:, number % 3 :][:, :1] for number, name in enumerate(parts)}
    planes = {name: plane.round() if "valid" in name else plane for name, plane in planes.items()}
    given = {"bg_fg": images.contiguous(memory_format=torch.channels_last), **planes}
    return Quartet.of({**given, "bg": other} if "bg" in parts else given)


def make(kind: str, files, device: str, **parameters) -> Source:
    kind, _, without_depth = kind.partition(" ")
    own = {"rooms": 20, "figures": 32}
    if kind == "composed":
        own = {"bg": files.bg, "fg": files.fg, "bg_depth": None if without_depth else files.depth, "resolution": 64}
    return open_source(kind, **own, **parameters).to(device)


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
