"""The SSIM map against pytorch_msssim and scipy, its gradient, and how it is shared."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import pytorch_msssim
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_msssim.ssim import gaussian_filter
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from registry import ssim
from registry.contract import Head, Target
from registry.losses import terms


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def smooth(seed: int) -> Tensor:
    return functional.interpolate(noise(4, 1, 5, 5, seed=seed), size=(64, 64), mode="bilinear", align_corners=True)


FLAT = torch.full((4, 1, 64, 64), 0.3)
PAIRS = {
    "noise": (noise(4, 1, 64, 64), noise(4, 1, 64, 64, seed=1)),
    "nearly equal": (noise(4, 1, 64, 64), (noise(4, 1, 64, 64) + 0.05 * noise(4, 1, 64, 64, seed=1)).clamp(0, 1)),
    "smooth": (smooth(0), smooth(1)),
    "nearly smooth": (0.3 + 0.4 * smooth(0) + 0.02 * noise(4, 1, 64, 64), 0.3 + 0.4 * smooth(1)),
    "a soft mask and a hard mask": (torch.sigmoid(30 * (smooth(0) - 0.57)), (smooth(0) > 0.6).float()),
    "constant and mask": (FLAT, (smooth(0) > 0.6).float()),
    "equal constants": (FLAT, FLAT.clone()),
    "not square": (noise(2, 1, 33, 50), noise(2, 1, 33, 50, seed=1)),
}


def theirs(x: Tensor, y: Tensor, window: int) -> Tensor:
    return pytorch_msssim.ssim(x, y, data_range=1.0, win_size=window)


@pytest.mark.parametrize("window", [3, 7, 11])
@pytest.mark.parametrize("name", PAIRS)
def test_value_and_gradient_are_those_of_pytorch_msssim_in_float32(name: str, window: int) -> None:
    x, y = PAIRS[name]
    ours, reference = x.clone().requires_grad_(), x.clone().requires_grad_()
    value, expected = ssim.ssim_map(ours, y, window).mean(), theirs(reference, y, window)
    # Where much is flat, float32 itself is off by more: by 5e-6 in theirs, which no other order of additions repeats.
    assert value.item() == pytest.approx(expected.item(), abs=1e-5 if name == "constant and mask" else 1e-6)
    value.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, reference.grad, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", PAIRS)
def test_each_window_is_that_of_their_filter(name: str) -> None:
    x, y = PAIRS[name]
    taps = ssim.gaussian(11, x).expand(1, 1, 1, 11)
    mx, my, xx, yy, xy = (gaussian_filter(maps, taps) for maps in (x, y, x * x, y * y, x * y))
    structure = (2 * (xy - mx * my) + 9e-4) / (xx - mx * mx + yy - my * my + 9e-4)
    expected = (2 * mx * my + 1e-4) / (mx * mx + my * my + 1e-4) * structure
    torch.testing.assert_close(ssim.ssim_map(x, y), expected, rtol=0, atol=1e-5)


def test_float64_is_exact() -> None:
    x, y = (noise(1, 1, 29, 40, seed=seed, dtype=torch.float64) for seed in (0, 1))
    taps = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    kernel = np.outer(taps, taps) / taps.sum() ** 2

    def blur(z: np.ndarray) -> np.ndarray:
        return ndimage.correlate(z, kernel, mode="constant")[5:-5, 5:-5]

    a, b = x[0, 0].numpy(), y[0, 0].numpy()
    ma, mb = blur(a), blur(b)
    structure = (2 * (blur(a * b) - ma * mb) + 9e-4) / (blur(a * a) - ma**2 + blur(b * b) - mb**2 + 9e-4)
    expected = (2 * ma * mb + 1e-4) / (ma**2 + mb**2 + 1e-4) * structure
    np.testing.assert_allclose(ssim.ssim_map(x, y)[0, 0].numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("window", "shape"), [(1, (2, 1, 3, 4)), (3, (2, 1, 3, 5)), (5, (1, 1, 9, 6))])
def test_gradient_is_the_derivative(window: int, shape: tuple[int, ...]) -> None:
    x, y = (noise(*shape, seed=seed, dtype=torch.float64).requires_grad_() for seed in (0, 1))
    assert torch.autograd.gradcheck(lambda x, y: ssim.ssim_map(x, y, window), (x, y))


def test_layout_does_not_matter() -> None:
    x, y = PAIRS["not square"]
    turned = x.transpose(-2, -1).contiguous().transpose(-2, -1)
    assert torch.equal(ssim.ssim_map(turned, y), ssim.ssim_map(x, y))


def test_a_nan_stays_in_its_windows() -> None:
    x, y = PAIRS["not square"]
    hurt = x.clone()
    hurt[0, 0, 16, 20] = torch.nan
    rows, columns = torch.arange(23)[:, None], torch.arange(40)
    reached = (rows >= 6) & (rows <= 16) & (columns >= 10) & (columns <= 20)
    assert torch.equal(ssim.ssim_map(hurt, y)[0, 0].isnan(), reached)
    assert ssim.ssim_map(hurt, y)[1].isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits, target = 4 * PAIRS["nearly smooth"][0].to(dtype) - 2, PAIRS["nearly smooth"][1]
    expected = terms.bind("ssim")(Head(logits.float()), Target(target))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = terms.bind("ssim")(Head(logits), Target(target))
        halves = ssim.ssim_map(logits, target.to(dtype))
    assert value.dtype == torch.float32 and torch.equal(value, expected)
    assert torch.equal(halves, ssim.ssim_map(logits.float(), target.to(dtype).float()))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", PAIRS)
def test_a_gpu_agrees(name: str) -> None:
    x, y = PAIRS[name]
    host, device = x.clone().requires_grad_(), x.cuda().requires_grad_()
    value, expected = ssim.ssim_map(device, y.cuda()).mean(), ssim.ssim_map(host, y).mean()
    value.backward()
    expected.backward()
    assert value.item() == pytest.approx(expected.item(), abs=1e-5)
    torch.testing.assert_close(device.grad.cpu(), host.grad, rtol=1e-3, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), window=st.integers(1, 12), rare=st.sampled_from([0.002, 0.02, 0.2]))
def test_whole_windows_are_those_without_a_hole(seed: int, window: int, rare: float) -> None:
    valid = noise(1, 1, 20, 27, seed=seed) > rare
    found = ssim.whole_windows(valid, window)
    assert found.shape == (1, 1, 21 - window, 28 - window)
    views = np.lib.stride_tricks.sliding_window_view(valid[0, 0].numpy(), (window, window))
    np.testing.assert_array_equal(found[0, 0].numpy(), views.all(axis=(-2, -1)))


class Calls:
    """`ssim_map`, counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number, self._real = 0, ssim.ssim_map
        monkeypatch.setattr(ssim, "ssim_map", self)

    def __call__(self, *args: object) -> Tensor:
        self.number += 1
        return self._real(*args)


def test_one_map_for_one_head_and_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, (logits, true) = Calls(monkeypatch), PAIRS["smooth"]
    head = Head(logits)
    with torch.no_grad():
        first = ssim.ssim_of(head, true)
        assert ssim.ssim_of(head, true) is first and calls.number == 1
        assert ssim.ssim_of(head, true, 7).shape != first.shape and calls.number == 2
        other = ssim.ssim_of(head, 1 - true)
        assert not torch.equal(other, first) and calls.number == 3
        assert torch.equal(ssim.ssim_of(Head(logits), true), first) and calls.number == 4


def test_a_head_keeps_no_graph_and_nothing_outlives_it() -> None:
    logits, true = PAIRS["smooth"]
    head = Head(logits.clone().requires_grad_())
    assert ssim.ssim_of(head, true) is not ssim.ssim_of(head, true)
    with torch.no_grad():
        kept = weakref.ref(ssim.ssim_of(head, true))
    gc.collect()
    assert kept() is not None and not kept().requires_grad
    del head
    gc.collect()
    assert kept() is None


def test_the_term_is_the_same_with_and_without_gradients() -> None:
    logits, true = (maps.clone() for maps in PAIRS["noise"])
    valid = torch.ones_like(true)
    valid[1, :, 20:25, 30:33] = 0
    valid[2] = 0
    true[valid == 0] = torch.nan
    trained = terms.bind("ssim")(Head(logits), Target(true, valid))
    with torch.no_grad():
        evaluated = terms.bind("ssim")(Head(logits), Target(true, valid))
    assert torch.equal(trained, evaluated) and evaluated.isfinite()
