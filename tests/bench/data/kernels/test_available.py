"""Where kernels are used, and what happens where one of them cannot be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.data import counter_random
from bench.data.augment import standard
from bench.data.camera import condition
from bench.data.composed import source as composed
from bench.data.counter_random import uniform
from bench.data.kernels import available
from bench.data.loading import packed
from bench.data.loading.loader import Loader, _arithmetic
from bench.data.loading.packed import pack, unpack
from bench.data.source import pixels_at_once
from bench.data.sources import open_source
from bench.data.synthetic import source as synthetic
from tests.bench.data.kernels.made import make, pictures, quartet_of

pytestmark = pytest.mark.filterwarnings("error:.*kernels? in Triton:RuntimeWarning")


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
