"""The one test class that every registered model passes, its variants and a sample of smp combinations too."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from registry.contract import Model, Prediction, Quartet
from registry.models import models
from registry.models.baselines import Fitted

VARIANTS = [
    "ugent_unet[depth_channels=3,twin=true]",
    "custom_unet[depth_channels=3,twin=true]",
    "dilated_shuffle[fixed=true]",
    "depthmasknet[as_published=true]",
    "twin_unet[dropout=0,width=8]",
    "unet[width=8]",
]
SMP = [
    "smp/fpn/tu-mobilenetv3_small_100",
    "smp/pspnet/resnet18",
    "smp/segformer/mit_b0",
    "smp/upernet/tu-convnext_atto",
    "smp/deeplabv3plus/tu-resnet18",
]
KEYS = [*models.names(), *VARIANTS, *SMP]


@functools.cache
def built(key: str) -> Model:
    torch.manual_seed(0)
    model = models.build(key)
    if isinstance(model, Fitted):
        mask, depth = torch.rand(2, 1, 8, 8).round(), torch.rand(2, 1, 8, 8)
        model.fit([Quartet(*images(2, 8, 8), mask, depth, torch.ones_like(depth))])
    return model


def images(batch: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    bg, bg_fg = torch.rand(2, batch, 3, height, width, generator=draw)
    return bg, bg_fg


def logits(prediction: Prediction) -> Tensor:
    return torch.cat([head.logits for _, head in prediction.heads()], dim=1)


def facts(key: str) -> dict[str, object]:
    return dict(models.resolve(key)[0].facts)


@pytest.fixture(scope="module", autouse=True)
def forget() -> Iterator[None]:
    yield
    built.cache_clear()


@pytest.mark.parametrize("key", KEYS)
class TestEveryModel:
    def test_is_what_its_facts_say(self, key: str) -> None:
        model, known = built(key), facts(key)
        assert isinstance(model, Model)
        assert models.resolve(key)[0].summary.endswith(".")
        assert known["source"]
        assert known.get("stride", model.stride) == model.stride
        assert models.canonical(key) == key

    def test_trains(self, key: str) -> None:
        model = built(key).train()
        model.zero_grad()
        prediction = model(*images(2, 3 * model.stride, 2 * model.stride))
        assert [name for name, _ in prediction.heads()] == list(facts(key)["heads"])
        for _, head in prediction.heads():
            assert head.logits.shape == (2, 1, 3 * model.stride, 2 * model.stride)
        answer = logits(prediction)
        assert answer.isfinite().all()
        if isinstance(model, Fitted):
            assert not list(model.parameters())
            return
        (answer * torch.randn_like(answer)).sum().backward()
        assert all(p.requires_grad for p in model.parameters())
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert sum(p.grad.abs().sum() for p in model.parameters() if p.grad is not None) > 0

    @torch.no_grad()
    def test_takes_multiples_of_its_stride_and_no_others(self, key: str) -> None:
        model = built(key).eval()
        for high, wide in ((1, 1), (1, 5), (7, 1)):
            size = high * model.stride, wide * model.stride
            assert logits(model(*images(1, *size))).shape[-2:] == size
        if model.stride > 1:
            with pytest.raises(ValueError, match=f"multiples of {model.stride}, not"):
                model(*images(1, model.stride, model.stride + 1))

    @torch.no_grad()
    def test_same_seed_same_weights_and_state_dict_round_trip(self, key: str) -> None:
        model = built(key).eval()
        torch.manual_seed(0)
        again = models.build(key).eval()
        for (name, ours), theirs in zip(model.named_parameters(), again.parameters(), strict=True):
            assert torch.equal(ours, theirs), name
        for parameter in again.parameters():
            parameter.zero_()
        again.load_state_dict(model.state_dict())
        pair = images(2, model.stride, 2 * model.stride)
        assert torch.equal(logits(model(*pair)), logits(again(*pair)))

    @torch.no_grad()
    def test_bf16_and_channels_last(self, key: str) -> None:
        model = built(key).eval()
        pair = images(2, 2 * model.stride, 2 * model.stride)
        plain = logits(model(*pair))
        with torch.autocast("cpu", torch.bfloat16):
            half = logits(model(*pair))
        assert half.dtype == torch.float32 and half.isfinite().all()
        torch.testing.assert_close(half, plain, atol=0.1 * float(plain.abs().max()) + 0.05, rtol=0)
        last = model.to(memory_format=torch.channels_last)
        turned = logits(last(*(image.contiguous(memory_format=torch.channels_last) for image in pair)))
        model.to(memory_format=torch.contiguous_format)
        torch.testing.assert_close(turned, plain, atol=1e-4, rtol=1e-3)

    @torch.no_grad()
    def test_blocks_hold_every_parameter_once_and_run_in_order(self, key: str) -> None:
        model = built(key).eval()
        blocks = model.blocks()
        held = [id(p) for group in blocks.values() for module in group for p in module.parameters()]
        assert sorted(held) == sorted(id(p) for p in model.parameters())
        if facts(key).get("fitted"):
            assert blocks == {}
            return
        assert 4 <= len(blocks) <= 12
        began: dict[nn.Module, int] = {}
        modules = [module for group in blocks.values() for module in group]

        def begin(module: nn.Module, _inputs: object) -> None:
            began.setdefault(module, len(began))

        hooks = [module.register_forward_pre_hook(begin) for module in modules]
        model(*images(2, model.stride, model.stride))
        for hook in hooks:
            hook.remove()
        assert set(began) == set(modules), "a named module was never called"
        firsts = [min(began[module] for module in group) for group in blocks.values()]
        assert firsts == sorted(firsts)


PUBLISHED = [(key, count) for name in models.names() for key, count in facts(name).get("parameters", {}).items()]


def test_every_published_system_gives_its_count() -> None:
    assert {key.partition("[")[0] for key, _ in PUBLISHED} == {
        "unet_mask", "unet_depth", "wnet", "ugent_unet", "ugent_unet_wide", "carvana_unet", "custom_unet",
        "dilated_shuffle", "twin_unet", "masknet", "depthmasknet",
    }  # fmt: skip


@pytest.mark.parametrize(("key", "count"), PUBLISHED)
def test_published_count_is_met_exactly(key: str, count: int) -> None:
    with torch.device("meta"):
        model = models.build(key)
    assert sum(p.numel() for p in model.parameters()) == count


def test_index_names_what_the_modules_register() -> None:
    index = dict(models._modules)
    for module in set(index.values()):
        importlib.import_module(module)
    registered = {name: entry.build.__module__ for name, entry in models._entries.items() if name in models.names()}
    assert registered == index
    assert models.families() == ["smp/"]
