"""Under autocast no decoder is widened to float32 by its upsampling, and what that changes is known."""

from __future__ import annotations

import importlib

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from registry.contract import Model
from registry.models import _blocks, models

OWN = [name for name in models.names() if not models.get(name).facts.get("fitted") and name != "resnet_unet"]
KEYS = [*OWN, "dilated_shuffle[fixed=true]", "custom_unet[twin=true]", "depthmasknet[as_published=true]"]


REAL = functional.interpolate


@pytest.fixture(autouse=True)
def as_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upsampling in float32, which is what autocast does on CUDA; on a CPU it stays in bfloat16."""
    monkeypatch.setattr(functional, "interpolate", lambda x, **how: REAL(x.float(), **how))


class Joined(TorchDispatchMode):
    """The types of maps that were concatenated or added to each other, each time; photographs left out."""

    def __init__(self) -> None:
        super().__init__()
        self.types: list[set[torch.dtype]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        if function in (torch.ops.aten.cat.default, torch.ops.aten.add.Tensor):
            parts = args[0] if function is torch.ops.aten.cat.default else args[:2]
            maps = [part for part in parts if isinstance(part, Tensor) and part.dim() == 4]
            if len(maps) > 1 and any(part.shape[1] != 3 for part in maps):
                self.types.append({part.dtype for part in maps})
        return function(*args, **(kwargs or {}))


def built(key: str) -> tuple[Model, Tensor, Tensor]:
    torch.manual_seed(0)
    model = models.build(key).eval()
    bg, bg_fg = torch.rand(2, 2, 3, 2 * model.stride, 3 * model.stride)
    return model, bg, bg_fg


@pytest.mark.parametrize("key", KEYS)
@torch.no_grad()
def test_nothing_is_joined_to_what_is_wider(key: str) -> None:
    assert all(types == {torch.bfloat16} for types in joined_types("cpu", key))


@pytest.mark.parametrize("key", ["unet[width=8]", "wnet", "custom_unet", "depthmasknet"])
@torch.no_grad()
def test_widening_would_be_noticed(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_rounding(monkeypatch)
    assert any(torch.float32 in types for types in joined_types("cpu", key))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("key", KEYS)
@torch.no_grad()
def test_nothing_is_joined_to_what_is_wider_on_a_gpu(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functional, "interpolate", REAL)
    assert all(types == {torch.bfloat16} for types in joined_types("cuda", key))


def joined_types(device: str, key: str) -> list[set[torch.dtype]]:
    model, bg, bg_fg = built(key)
    with torch.autocast(device, torch.bfloat16), Joined() as joined:
        model.to(device)(bg.to(device), bg_fg.to(device))
    return joined.types


def without_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("_blocks", "unet", "carvana", "depthnet"):
        monkeypatch.setattr(importlib.import_module(f"registry.models.{module}"), "upsample", _wide)


def _wide(x: Tensor, dtype: torch.dtype, *, align_corners: bool = False, size: tuple[int, int] | None = None) -> Tensor:
    """`upsample` as it would be without its rounding."""
    factor = 2 if size is None else None
    return functional.interpolate(x, size=size, scale_factor=factor, mode="bilinear", align_corners=align_corners)


def _outcome(model: Model, bg: Tensor, bg_fg: Tensor) -> list[Tensor]:
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        prediction = model(bg, bg_fg)
    logits = [head.logits for _, head in prediction.heads()]
    sum(each.square().mean() for each in logits).backward()
    return [*(each.detach() for each in logits), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("key", ["unet[width=8]", "wnet", "twin_unet[dropout=0]", "custom_unet"])
def test_what_is_concatenated_keeps_every_bit(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, bg, bg_fg = built(key)
    ours = _outcome(model, bg, bg_fg)
    without_rounding(monkeypatch)
    wide = _outcome(model, bg, bg_fg)
    assert all(torch.equal(a, b) for a, b in zip(ours, wide, strict=True))


def test_what_is_added_is_rounded_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    model, bg, bg_fg = built("depthmasknet")
    ours = _outcome(model, bg, bg_fg)[:2]
    without_rounding(monkeypatch)
    wide = _outcome(model, bg, bg_fg)[:2]
    difference = max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, wide, strict=True))
    assert 0 < difference < 0.03


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_upsample_is_interpolation(dtype: torch.dtype) -> None:
    x = torch.rand(2, 3, 4, 5)
    for how in ({}, {"align_corners": True}, {"size": (9, 7)}):
        assert torch.equal(_blocks.upsample(x, dtype, **how), _wide(x, dtype, **how).to(dtype))
